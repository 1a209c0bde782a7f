/**
 * A server that connectconformance starts and tests: it reads a ServerCompatRequest from standard input, starts one of
 * our listeners as that asks for, says on standard output where it is, and serves until it is stopped.
 */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { createGrpcServer, createRegistry, createWebServer, errorToStatus, ForeignStatus } from '@parley/rpc';
import { createHealth, createLogger, createMetrics, systemClock, systemIds } from '@parley/runtime';
import { delimited, readDelimited } from './delimited.ts';
import { HTTPVersion, Protocol } from './gen/connectrpc/conformance/v1/config_pb.ts';
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from './gen/connectrpc/conformance/v1/server_compat_pb.ts';
import { conformanceService } from './service.ts';

const asked = fromBinary(ServerCompatRequestSchema, await readDelimited(process.stdin));
// The largest message is part of a contract, in this case of proto/…/service.proto.
const limit = 204_800;
if (asked.messageReceiveLimit !== 0 && asked.messageReceiveLimit !== limit) {
  throw new Error(`messages are limited to ${limit} bytes here, not to ${asked.messageReceiveLimit}`);
}

const logger = createLogger({ level: 'silent', service: 'conformance', destination: process.stderr });
const metrics = createMetrics({ defaults: false });
const registry = createRegistry({
  authenticator: { authenticate: () => ({ kind: 'anonymous' }) },
  clock: systemClock,
  ids: systemIds,
  logger,
  metrics,
  services: [conformanceService(systemClock)],
  // The runner accepts only the details it asked for.
  statusOf: (error, requestId) => {
    const status = errorToStatus(error, requestId);
    return error instanceof ForeignStatus ? status : { ...status, details: new Uint8Array() };
  },
});
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8');
const { serverCreds } = asked;
const tls = asked.useTls &&
  serverCreds && {
    key: text(serverCreds.key),
    cert: text(serverCreds.cert),
    ...(asked.clientTlsCert.length > 0 && { clientCa: text(asked.clientTlsCert) }),
  };
const common = { registry, clock: systemClock, logger, metrics, host: '127.0.0.1', port: 0, ...(tls && { tls }) };
const server =
  asked.protocol === Protocol.GRPC
    ? createGrpcServer({ ...common, health: createHealth() })
    : createWebServer({ ...common, cleartextHttp2: !tls && asked.httpVersion === HTTPVersion.HTTP_VERSION_2 });
await server.start();

const response = create(ServerCompatResponseSchema, {
  host: '127.0.0.1',
  port: server.port,
  pemCert: tls ? (serverCreds?.cert ?? new Uint8Array()) : new Uint8Array(),
});
process.stdout.write(delimited(toBinary(ServerCompatResponseSchema, response)));
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void server.stop());
