import { UsageError } from './exit-codes.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Checks the address of a server and brings it into one form. Passwords go over plain HTTP only to this machine. */
export function serverUrl(text: string, allowPlain: boolean): string {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.username || url.search || url.hash)
    throw new UsageError(`"${text}" is not the address of a server`, 'Give it like https://parley.hospital.example');
  if (url.protocol === 'http:' && !allowPlain && !LOOPBACK.test(url.hostname))
    throw new UsageError(
      `http://${url.host} would carry your password unencrypted`,
      'Use https, or give --insecure-http if the network between is yours alone.',
    );
  return url.href.replace(/\/+$/, '');
}
