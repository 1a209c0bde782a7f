import type { WebRequest } from './web-call.ts';

/**
 * Address a request came from. Behind a load balancer of ours it is the last entry of `x-forwarded-for`: the one that
 * the load balancer wrote itself.
 */
export function peerOf(request: WebRequest, forwardedFor: string | undefined): string {
  if (forwardedFor !== undefined) {
    const last = forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim();
    if (last !== '' && last.length <= 64) return last;
  }
  return request.socket?.remoteAddress ?? 'unknown';
}
