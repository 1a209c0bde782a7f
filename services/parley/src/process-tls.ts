import type { GrpcChannelOptions } from '@parley/rpc';
import { type Clock, type Logger, type Metrics, type TlsFiles, type TlsWatch, watchTlsFiles } from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import { filesOf, wantsTls } from './config-parts.ts';
import { type LISTENERS, listenerFiles } from './listeners.ts';

/** The certificates of a process. */
export interface ProcessTls {
  /** To be started before what uses them. */
  readonly watches: readonly TlsWatch[];
  /** `{ tls }` of a listener; empty without TLS. */
  of(listener: (typeof LISTENERS)[number]): { readonly tls?: TlsWatch };
  /** `{ tls }` of channels to other processes; empty without TLS. */
  readonly towards: Pick<GrpcChannelOptions, 'tls'>;
  /** Looks for renewed certificates now; undefined where nothing has TLS. */
  readonly reload: (() => void) | undefined;
}

/** Reads what channels need at once, because they connect at once; the rest when started. */
export async function processTls(
  config: ParleyConfig,
  { clock, logger, metrics }: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics },
): Promise<ProcessTls> {
  const watches = new Map<string, TlsWatch>();
  const watch = (listener: string, files: TlsFiles) => {
    const { tlsReloadMs: reloadMs } = config;
    const watched = watchTlsFiles({ listener, files, clock, logger, metrics, reloadMs });
    watches.set(listener, watched);
    return watched;
  };
  for (const name of ['public', 'grpc', 'admin'] as const) {
    const files = listenerFiles(config, name);
    if (files) watch(name, files);
  }
  const { tls } = config.services;
  const shown = filesOf(tls);
  const outgoing = Object.keys(shown).length > 0 ? watch('services', shown) : undefined;
  await outgoing?.load();
  const all = [...watches.values()];
  return {
    watches: all,
    of(listener) {
      const watched = watches.get(listener);
      return watched ? { tls: watched } : {};
    },
    towards: wantsTls(tls) ? { tls: outgoing ?? {} } : {},
    reload: all.length > 0 ? () => void Promise.all(all.map(one => one.reload())) : undefined,
  };
}
