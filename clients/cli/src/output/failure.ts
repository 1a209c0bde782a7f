import { ParleyClientError } from '@parley/client';
import { UsageError } from '../exit-codes.ts';
import { oneLine, safeJson } from './text.ts';

/** What to do about refusals that people meet often. The full list is the errors reference. */
const REMEDIES: Readonly<Record<string, string>> = {
  'client.signed_out': 'Sign in: parleyctl login ADDRESS --server URL',
  'client.network': 'Is the server running, and is its address right? parleyctl doctor looks at it step by step.',
  'client.deadline_exceeded': 'The server is slow; give it more time with --timeout 60s.',
  'client.unimplemented': 'No Parley answers at this address; check --server.',
  'rpc.password_change_required': 'Choose a password of your own: parleyctl password',
  'rpc.permission_denied': 'This needs a role that you do not have; parleyctl whoami shows yours.',
  'rpc.rate_limited': 'Wait a moment and try again.',
  'directory.sign_in_refused': 'Check address and password; a disabled account is refused in the same words.',
  'directory.sign_in_locked': 'Wait, or ask an administrator: parleyctl users unlock ADDRESS',
  'directory.refresh_reused': 'Somebody else may hold a copy of your sign-in: sign in again and change the password.',
  'directory.person_not_found': 'Find people with: parleyctl users search NAME',
  'client.person_not_found': 'Find people with: parleyctl users search NAME',
  'directory.group_not_found': 'Find groups with: parleyctl groups list',
  'directory.person_deleted': 'Bring the person back first: parleyctl users restore PERSON',
  'directory.password_short': 'At least 12 characters; several words are easier to remember than signs.',
  'directory.last_administrator': 'Make somebody else an administrator first.',
  'archive.person_unknown': 'Check the address, or search by words and time.',
  'archive.audit_unavailable': 'Nothing of the archive is shown that cannot be written down; ask an administrator.',
  'archive.index_behind': 'Try again later; parleyctl archive status shows how far the index is.',
  'archive.record_not_found':
    'It may wait in the log: parleyctl archive status. Otherwise see whose policy decides: parleyctl explain archiving FROM TO.',
  'im.archive_unavailable': 'It was delivered to nobody. Send it again when the archive works.',
  'im.outcome_unknown': 'Send it again with --message-id as shown by --json: it is never stored twice.',
  'presence.appear_offline_forbidden': 'Your organisation does not allow it; choose another state.',
};

/** What to do when a server is there and its certificate is no good, by the system's word for it. */
const CERTIFICATE_REMEDIES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ].map(code => [
      code,
      "Nobody this machine trusts vouches for the server's certificate. If its authority is your organisation's own, name its file: NODE_EXTRA_CA_CERTS=/path/ca.pem parleyctl …",
    ]),
  ),
  CERT_HAS_EXPIRED: "The server's certificate has ended; its administrator must renew it.",
  CERT_NOT_YET_VALID: "The server's certificate is not in force yet; is the clock of this machine right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "The server's certificate is for another name; use the name that is in it.",
};

/** A failure as it is printed. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly remedy?: string;
}

/** What to tell about whatever a command threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof ParleyClientError) {
    const { code, field, requestId, retryAfterMs } = error;
    const remedy = CERTIFICATE_REMEDIES[systemCodeOf(error) ?? ''] ?? REMEDIES[code];
    return {
      code,
      message: messageOf(error),
      ...(field && { field }),
      ...(requestId && { requestId }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(remedy && { remedy }),
    };
  }
  if (error instanceof UsageError)
    return { code: error.code, message: error.message, ...(error.remedy && { remedy: error.remedy }) };
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'cli.internal', message, remedy: 'This is a defect; PARLEYCTL_DEBUG=1 shows where it happened.' };
}

function messageOf(error: ParleyClientError): string {
  if (error.code === 'client.network') return `the server cannot be reached${causeOf(error)}`;
  if (error.code === 'client.signed_out' && error.cause instanceof ParleyClientError)
    return `the sign-in is over: ${error.cause.message}`;
  return error.message;
}

function causeOf(error: unknown): string {
  const code = systemCodeOf(error);
  return code === undefined ? '' : ` (${code})`;
}

/** The system's word for why a connection failed, for example ECONNREFUSED. */
function systemCodeOf(error: unknown): string | undefined {
  let cause: unknown = error;
  for (let depth = 0; depth < 6 && cause instanceof Error; depth++) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && /^[A-Z][A-Z_0-9]+$/.test(code)) return code;
    cause = cause.cause;
  }
  return undefined;
}

/** The lines for standard error: one for people and one with what to do, or a JSON object. */
export function renderFailure(error: unknown, json: boolean): string {
  const failure = failureOf(error);
  if (json) {
    const { code, message, field, requestId } = failure;
    return `${safeJson({ error: { code, message, ...(field && { field }), ...(requestId && { requestId }) } })}\n`;
  }
  const wait = failure.retryAfterMs ? `; try again in ${Math.ceil(failure.retryAfterMs / 1_000)} s` : '';
  const first = `parleyctl: ${oneLine(failure.message)}${wait} (${failure.code})\n`;
  return failure.remedy ? `${first}  ${failure.remedy}\n` : first;
}
