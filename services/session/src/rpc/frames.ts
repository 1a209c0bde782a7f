import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ResyncReason, SessionEndReason, SessionEventSchema } from '@parley/contracts/session/v1/session';
import type { EndReason } from '../domain/end-reason.ts';
import type { Frames } from '../ports/frames.ts';

/** Tags of the length-delimited fields of SessionEvent: number * 8 + 2. */
const PRESENCE = tagOf('presence');
const IM = tagOf('im');

const REASONS: Readonly<Record<EndReason, SessionEndReason>> = {
  token_expired: SessionEndReason.TOKEN_EXPIRED,
  taken_over: SessionEndReason.TAKEN_OVER,
  signed_out: SessionEndReason.SIGNED_OUT,
  disconnected: SessionEndReason.DISCONNECTED,
  shutdown: SessionEndReason.SHUTDOWN,
  too_slow: SessionEndReason.TOO_SLOW,
  client_gone: SessionEndReason.UNSPECIFIED,
};

type Event = NonNullable<MessageInitShape<typeof SessionEventSchema>['event']>;

function encode(event: Event): Uint8Array {
  return toBinary(SessionEventSchema, create(SessionEventSchema, { event }));
}

/** Events of the stream as bytes of SessionEvent. */
export const frames: Frames = {
  connected: welcome =>
    encode({
      case: 'connected',
      value: {
        ...welcome,
        expiresMs: BigInt(Math.trunc(welcome.expiresMs)),
        serverTimeMs: BigInt(Math.trunc(welcome.serverTimeMs)),
      },
    }),
  heartbeat: now => encode({ case: 'heartbeat', value: { serverTimeMs: BigInt(Math.trunc(now)) } }),
  presence: view => wrap(PRESENCE, view),
  im: event => wrap(IM, event),
  commandResult: (commandId, { code, field }) =>
    encode({ case: 'commandResult', value: { commandId, errorCode: code, field } }),
  resync: (afterMs, reason) =>
    encode({
      case: 'resync',
      value: { afterMs, reason: reason === 'continuity' ? ResyncReason.CONTINUITY : ResyncReason.SLOW_READER },
    }),
  reconnect: afterMs => encode({ case: 'reconnect', value: { afterMs } }),
  ended: reason => encode({ case: 'sessionEnded', value: { reason: REASONS[reason] } }),
};

function tagOf(field: 'presence' | 'im'): number {
  return (SessionEventSchema.field[field].number << 3) | 2;
}

/** Tag, length, bytes: what encoding a SessionEvent with the decoded message would give. */
function wrap(tag: number, bytes: Uint8Array): Uint8Array {
  const length = bytes.length;
  let size = 2;
  for (let rest = length; rest > 127; rest >>>= 7) size++;
  const frame = new Uint8Array(size + length);
  frame[0] = tag;
  let at = 1;
  for (let rest = length; ; rest >>>= 7) {
    if (rest <= 127) {
      frame[at++] = rest;
      break;
    }
    frame[at++] = (rest & 127) | 128;
  }
  frame.set(bytes, at);
  return frame;
}
