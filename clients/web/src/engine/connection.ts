import type { ConnectionState } from '@parley/client';
import { refusalOf } from './messages.ts';
import type { ConnectionInfo, SessionInfo } from './state.ts';

/** What a person is shown of the stream's state; undefined for what shows nothing. */
export function connectionInfo(state: ConnectionState): ConnectionInfo | undefined {
  switch (state.phase) {
    case 'idle':
      return undefined;
    case 'connecting':
      return state.attempt === 0 ? { phase: 'connecting' } : undefined; // keeps saying why it waited
    case 'online':
      return { phase: 'online', upgradeAdvised: state.upgradeAdvised, clockAheadMs: state.clockAheadMs };
    case 'waiting':
      return { phase: 'waiting', retryAtMs: state.retryAtMs, refusal: refusalOf(state.error) };
    case 'ended':
      if (state.reason === 'taken-over') return { phase: 'taken-over' };
      if (state.reason === 'refused')
        return { phase: 'refused', refusal: refusalOf(state.error ?? { code: 'client.ended', params: {} }) };
      return undefined;
  }
}

/** Who is signed in, as the stream's state tells; undefined when it does not. */
export function sessionInfo(state: ConnectionState, personId: string): SessionInfo | undefined {
  if (state.phase === 'online' || state.phase === 'waiting') return { kind: 'signed-in', personId };
  if (state.phase !== 'ended') return undefined;
  if (state.reason === 'signed-out') return { kind: 'signed-out', reason: 'ended' };
  if (state.error?.code === 'rpc.password_change_required') return { kind: 'password-change', personId };
  return state.reason === 'closed' ? undefined : { kind: 'signed-in', personId };
}
