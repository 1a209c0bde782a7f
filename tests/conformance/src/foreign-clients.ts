/** The clients of gRPC-Web that others wrote, behind one interface. Runs in pages and in Node. */
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { type ErrorInfo, ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { GrpcWebClientBase, MethodDescriptor, MethodType, RpcError } from 'grpc-web';

/** A refusal as a client shows it to its program. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly info: ErrorInfo | undefined;
}

/** One call's fields beside the request. */
export interface Fields {
  readonly token?: string;
  readonly timeoutMs?: number;
}

/** A client; `name` says which and in which mode. */
export interface ForeignClient {
  readonly name: string;
  /** Whether messages of a stream arrive while it goes on; a client without sees them all at its end. */
  readonly streams: boolean;
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
    fields?: Fields,
  ): Promise<MessageShape<O>>;
  /** Calls `onMessage` for each message; resolves at the end of the stream. */
  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
    fields: Fields,
    onMessage: (message: MessageShape<O>, cancel: () => void) => void,
  ): Promise<void>;
  /** What a call that failed says. */
  refusal(error: unknown): Refusal;
}

const path = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

/** The official npm client; `format` is its name for the mode. */
export function officialClient(baseUrl: string, format: 'binary' | 'text'): ForeignClient {
  const client = new GrpcWebClientBase({ format });
  const descriptor = (method: DescMethod) =>
    new MethodDescriptor<unknown, never>(
      path(method),
      method.methodKind === 'unary' ? MethodType.UNARY : MethodType.SERVER_STREAMING,
      Object,
      Object as never,
      (request: MessageShape<DescMessage>) => toBinary(method.input, request),
      (bytes: Uint8Array) => fromBinary(method.output, bytes),
    );
  const metadata = ({ token, timeoutMs }: Fields): Record<string, string> => ({
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(timeoutMs !== undefined && { deadline: String(Date.now() + timeoutMs) }),
  });
  return {
    name: `grpc-web, ${format === 'binary' ? 'grpcweb' : 'grpcwebtext'}`,
    // It waits for the whole body unless that is text.
    streams: format === 'text',
    unary: (method, request, fields = {}) =>
      client.unaryCall(baseUrl + path(method), create(method.input, request), metadata(fields), descriptor(method)),
    stream: (method, request, fields, onMessage) =>
      new Promise((resolve, reject) => {
        const stream = client.serverStreaming<unknown, unknown>(
          baseUrl + path(method),
          create(method.input, request),
          metadata(fields),
          descriptor(method),
        );
        const cancel = () => {
          stream.cancel();
          resolve();
        };
        stream.on('data', message => onMessage(message as never, cancel));
        stream.on('error', reject);
        stream.on('end', resolve);
      }),
    refusal(error) {
      if (!(error instanceof RpcError)) throw error;
      const details = error.metadata['grpc-status-details-bin'];
      const bytes = details === undefined ? undefined : Uint8Array.from(atob(details), c => c.charCodeAt(0));
      const [detail] = bytes ? fromBinary(StatusSchema, bytes).details : [];
      return {
        status: error.code,
        message: error.message,
        info: detail && fromBinary(ErrorInfoSchema, detail.value),
      };
    },
  };
}

/** connect-web as its users set it up for gRPC-Web. */
export function connectWeb(baseUrl: string): ForeignClient {
  const transport = createGrpcWebTransport({ baseUrl });
  const call = (method: DescMethod) =>
    (createClient(method.parent, transport) as Record<string, unknown>)[method.localName] as (
      request: unknown,
      options: object,
    ) => never;
  const options = ({ token, timeoutMs }: Fields) => ({
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  return {
    name: 'connect-web',
    streams: true,
    unary: (method, request, fields = {}) => call(method)(request, options(fields)),
    async stream(method, request, fields, onMessage) {
      const controller = new AbortController();
      const messages = call(method)(request, { ...options(fields), signal: controller.signal }) as AsyncIterable<never>;
      try {
        for await (const message of messages) onMessage(message, () => controller.abort());
      } catch (error) {
        if (!controller.signal.aborted) throw error;
      }
    },
    refusal(thrown) {
      const error = ConnectError.from(thrown);
      if (error.code === Code.Unknown && !(thrown instanceof ConnectError)) throw thrown;
      return { status: error.code, message: error.rawMessage, info: error.findDetails(ErrorInfoSchema)[0] };
    },
  };
}
