import type { TlsFiles } from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import { filesOf } from './config-parts.ts';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;

/** The three listeners of a process. */
export const LISTENERS = ['public', 'grpc', 'admin'] as const;

/** Whether an address is reached from this machine only. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Listeners that other machines reach. */
export const openListeners = (config: ParleyConfig) => LISTENERS.filter(name => !isLoopback(config[name].host));

/** Files of a listener, or undefined when it has no TLS. */
export function listenerFiles(config: ParleyConfig, name: (typeof LISTENERS)[number]): TlsFiles | undefined {
  const { clientCaFile, ...pair } = filesOf({ clientCaFile: '', ...config[name].tls }) as TlsFiles & {
    clientCaFile?: string;
  };
  if (Object.keys(pair).length === 0 && clientCaFile === undefined) return undefined;
  return { ...pair, caFile: clientCaFile };
}
