import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import type { Clock, Health, Timer } from '@parley/runtime';
import type { RawService } from './grpc-reflection.ts';
import type { Registry } from './registry.ts';

const serving = 1;
const notServing = 2;
const serviceUnknown = 3;

/** How often a watched state is looked at, milliseconds. */
const lookMs = 1000;

/** Watching needs no token, so it has a limit. */
const maxWatches = 1000;

/**
 * grpc.health.v1, for probes and load balancers; needs no token. The state is that of the process, for every service
 * alike. https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
export function healthService(registry: Registry, health: Health, clock: Clock): { service: RawService; halt(): void } {
  const watches = new Set<{ source: ServerWritableStream<Buffer, Buffer>; timer: Timer | undefined }>();
  const stateOf = (name: string) => {
    if (name !== '' && !registry.services.some(service => service.typeName === name)) return undefined;
    return health.ready().ok ? serving : notServing;
  };

  function check(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    const state = stateOf(nameOf(call.request));
    if (state === undefined) callback({ code: status.NOT_FOUND, details: 'unknown service' });
    else callback(null, encode(state));
  }

  function watch(source: ServerWritableStream<Buffer, Buffer>): void {
    if (watches.size >= maxWatches) {
      const refusal = { code: status.RESOURCE_EXHAUSTED, details: 'too many watch already' };
      source.emit('error', Object.assign(new Error(refusal.details), refusal));
      return;
    }
    const name = nameOf(source.request);
    const entry: { source: typeof source; timer: Timer | undefined } = { source, timer: undefined };
    let last: number | undefined;
    const look = () => {
      const state = stateOf(name) ?? serviceUnknown;
      if (state !== last) source.write(encode(state));
      last = state;
      entry.timer = clock.timer(lookMs, look);
    };
    watches.add(entry);
    source.once('cancelled', () => {
      entry.timer?.cancel();
      watches.delete(entry);
    });
    look();
  }

  return {
    service: {
      definition: {
        Check: method('/grpc.health.v1.Health/Check', false),
        Watch: method('/grpc.health.v1.Health/Watch', true),
      },
      handlers: { Check: check as never, Watch: watch as never },
    },
    halt() {
      for (const { source, timer } of watches) {
        timer?.cancel();
        source.end();
      }
      watches.clear();
    },
  };
}

function method(path: string, responseStream: boolean) {
  const identity = (bytes: Buffer) => bytes;
  return {
    path,
    requestStream: false,
    responseStream,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}

function nameOf(request: Uint8Array): string {
  const reader = new BinaryReader(request);
  let name = '';
  try {
    while (reader.pos < reader.len) {
      const [field, type] = reader.tag();
      if (field === 1) name = reader.string();
      else reader.skip(type);
    }
  } catch {
    return 'unreadable';
  }
  return name;
}

function encode(state: number): Buffer {
  return Buffer.from(new BinaryWriter().tag(1, WireType.Varint).int32(state).finish());
}
