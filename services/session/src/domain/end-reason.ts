/** Why a stream ended. The client is told, except when it went by itself. */
export type EndReason =
  | 'token_expired'
  | 'taken_over'
  | 'signed_out'
  | 'disconnected'
  | 'shutdown'
  | 'too_slow'
  | 'client_gone';

/** What becomes of the device at presence when its stream ends. */
export type EndpointFate =
  /** Gone at once. */
  | 'sign_out'
  /** Gone unless it comes back within the grace. */
  | 'grace'
  /** Another connection has it, or the lease of the whole pod is given back. */
  | 'none';

const FATES: Readonly<Record<EndReason, EndpointFate>> = {
  token_expired: 'grace',
  taken_over: 'none',
  signed_out: 'sign_out',
  disconnected: 'sign_out',
  shutdown: 'none',
  too_slow: 'grace',
  client_gone: 'grace',
};

export function fateOf(reason: EndReason): EndpointFate {
  return FATES[reason];
}
