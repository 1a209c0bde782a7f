import { hostname } from 'node:os';
import type { ParleyConfig } from './config.ts';

/** Where people of this machine's network may find the public listener. */
export function publicUrl({ public: { host, port, tls } }: Pick<ParleyConfig, 'public'>): string {
  const name = ['0.0.0.0', '::'].includes(host) ? hostname() : host;
  return `${tls.certFile === '' ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}
