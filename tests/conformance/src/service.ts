/** What connectrpc.conformance.v1.ConformanceService must do, above the API that all services of Parley use. */
import { create, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { StatusSchema } from '@parley/contracts';
import { type CallContext, ForeignStatus, type MountedService, service } from '@parley/rpc';
import type { Clock } from '@parley/runtime';
import {
  type ConformancePayload_RequestInfo,
  ConformancePayload_RequestInfoSchema,
  ConformanceService,
  type Error as ErrorDefinition,
  type Header,
  HeaderSchema,
  ServerStreamRequestSchema,
  UnaryRequestSchema,
} from './gen/connectrpc/conformance/v1/service_pb.ts';

/** The service under test; `clock` waits where a request asks for it. */
export function conformanceService(clock: Clock): MountedService {
  const wait = (ms: number) => (ms > 0 ? new Promise<void>(resolve => clock.timer(ms, resolve)) : undefined);

  return service(ConformanceService, {
    async unary(request, context) {
      const info = requestInfo(context, anyPack(UnaryRequestSchema, request), clock);
      const definition = request.responseDefinition;
      addFields(context, definition?.responseHeaders, definition?.responseTrailers);
      await wait(definition?.responseDelayMs ?? 0);
      const response = definition?.response;
      if (response?.case === 'error') throw refusal(response.value, info);
      const data = response?.case === 'responseData' ? response.value : new Uint8Array();
      return { payload: { data, requestInfo: info } };
    },

    async serverStream(request, context, sink) {
      const info = requestInfo(context, anyPack(ServerStreamRequestSchema, request), clock);
      const definition = request.responseDefinition;
      if (!definition) return;
      addFields(context, definition.responseHeaders, definition.responseTrailers);
      for (const [i, data] of definition.responseData.entries()) {
        await wait(definition.responseDelayMs);
        sink.send({ payload: { data, ...(i === 0 && { requestInfo: info }) } });
      }
      if (definition.error) throw refusal(definition.error, definition.responseData.length === 0 ? info : undefined);
    },
  });
}

function requestInfo(context: CallContext, request: Any, clock: Clock): ConformancePayload_RequestInfo {
  const headers = new Map<string, Header>();
  for (const { name, value } of context.metadata.request) {
    const header = headers.get(name) ?? create(HeaderSchema, { name });
    header.value.push(typeof value === 'string' ? value : Buffer.from(value).toString('base64').replace(/=+$/, ''));
    headers.set(name, header);
  }
  const info = create(ConformancePayload_RequestInfoSchema, {
    requestHeaders: [...headers.values()],
    requests: [request],
  });
  if (context.deadlineMs !== undefined) info.timeoutMs = BigInt(Math.ceil(context.deadlineMs - clock.monotonic()));
  return info;
}

function addFields({ metadata }: CallContext, before: readonly Header[] = [], after: readonly Header[] = []): void {
  const values = ({ name, value }: Header) =>
    name.toLowerCase().endsWith('-bin') ? value.map(text => Buffer.from(text, 'base64')) : value;
  for (const header of before) for (const value of values(header)) metadata.header(header.name, value);
  for (const header of after) for (const value of values(header)) metadata.trailer(header.name, value);
}

/** The refusal a request asks for, with what is known of the request when no message has carried it. */
function refusal({ code, message = '', details }: ErrorDefinition, info?: ConformancePayload_RequestInfo) {
  const all = info ? [...details, anyPack(ConformancePayload_RequestInfoSchema, info)] : details;
  const status = create(StatusSchema, {
    code,
    message,
    details: all.map(({ typeUrl, value }) => ({ typeUrl, value })),
  });
  return new ForeignStatus({ code, message, details: toBinary(StatusSchema, status) });
}
