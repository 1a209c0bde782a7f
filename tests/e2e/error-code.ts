import { ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '@parley/contracts';

/** The catalogue code of whatever a call threw. */
export function codeOf(error: Error & { code?: unknown }): string {
  if (error instanceof ConnectError) return error.findDetails(ErrorInfoSchema)[0]?.code ?? `no code (${error.message})`;
  return String(error.code);
}
