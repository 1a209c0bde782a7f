import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { createLoop } from '../loop.ts';
import type { Metrics } from '../metrics.ts';
import type { Module } from '../module.ts';
import { readTlsFiles, type TlsFiles, type TlsMaterial } from './read-tls-files.ts';

/** Certificates and keys that may be renewed while they are in use. */
export interface TlsSource {
  /** What is in force now. */
  readonly current: TlsMaterial;
  /** Calls `listener` after each renewal; returns a function that stops it. */
  onChange(listener: (material: TlsMaterial) => void): () => void;
}

/** Settings of {@link watchTlsFiles}. */
export interface TlsWatchOptions {
  /** What they are for, label of metrics and field of log lines: `public`, `grpc`, … */
  readonly listener: string;
  readonly files: TlsFiles;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Milliseconds between two looks at the files. */
  readonly reloadMs: number;
}

/** Files that are looked at again and again. */
export interface TlsWatch extends TlsSource, Module {
  /** Reads the files before `start` does, for whoever needs them earlier; rejects when they are no good. */
  load(): Promise<void>;
  /** Looks at the files now; resolves when what they say is in force, or was refused. */
  reload(): Promise<void>;
}

const DAY_MS = 24 * 3600 * 1000;
/** From so many days before its end on, a certificate is complained about once a day. */
const WARN_DAYS = 21;

/**
 * Reads the files when started (and rejects when they are no good), then looks at their content every `reloadMs`. New
 * files that are no good are logged once, and the old ones stay in force.
 */
export function watchTlsFiles(options: TlsWatchOptions): TlsWatch {
  const { listener, files, clock, logger, metrics, reloadMs } = options;
  const labels = { listener };
  const listeners = new Set<(material: TlsMaterial) => void>();
  const notAfter = metrics.gauge<'listener'>({
    name: 'parley_tls_certificate_not_after_seconds',
    help: 'End of the certificate that a listener shows, seconds since 1970-01-01 UTC.',
    labels: ['listener'],
  });
  const reloads = metrics.counter<'listener' | 'outcome'>({
    name: 'parley_tls_reloads_total',
    help: 'New certificates found, by listener and outcome: taken or refused.',
    labels: ['listener', 'outcome'],
  });
  let material: TlsMaterial | undefined;
  let seen = '';
  let warnedAt = Number.NEGATIVE_INFINITY;
  let running = false;
  let looking = Promise.resolve();
  const loop = createLoop({ clock, everyMs: reloadMs, turn: reload });

  function take(next: TlsMaterial): void {
    material = next;
    warnedAt = Number.NEGATIVE_INFINITY;
    notAfter.set(Math.floor(next.notAfterMs / 1000), labels);
    logger.info('tls.certificate.loaded', { ...fieldsOf(next), names: next.names });
    warnOfEnd();
  }

  const daysLeft = ({ notAfterMs }: TlsMaterial) => Math.floor((notAfterMs - clock.now()) / DAY_MS);
  const fieldsOf = (of: TlsMaterial) => ({
    listener,
    notAfter: new Date(of.notAfterMs).toISOString(),
    daysLeft: daysLeft(of),
  });

  function warnOfEnd(): void {
    if (!material || daysLeft(material) > WARN_DAYS || clock.monotonic() - warnedAt < DAY_MS) return;
    warnedAt = clock.monotonic();
    if (daysLeft(material) < 0) logger.error('tls.certificate.ended', fieldsOf(material));
    else logger.warn('tls.certificate.ends_soon', fieldsOf(material));
  }

  /** What the files hold; a file that cannot be read is told apart from an empty one. */
  async function contents(): Promise<string> {
    const read = async (name: string | undefined) =>
      name === undefined ? '' : readFile(name, 'utf8').catch((error: Error) => `!${error.message}`);
    const texts = await Promise.all([files.certFile, files.keyFile, files.caFile].map(read));
    return texts.join('\0');
  }

  async function look(): Promise<void> {
    const now = await contents();
    if (now !== seen && running) {
      seen = now;
      try {
        take(readTlsFiles(files, clock.now()));
        reloads.inc({ listener, outcome: 'taken' });
        for (const tell of [...listeners]) tell(material as TlsMaterial);
      } catch (error) {
        reloads.inc({ listener, outcome: 'refused' });
        logger.error('tls.certificate.refused', { ...fieldsOf(material as TlsMaterial), err: error });
      }
    }
    warnOfEnd();
  }

  async function load(): Promise<void> {
    seen = await contents();
    take(readTlsFiles(files, clock.now()));
  }

  function reload(): Promise<void> {
    looking = looking.then(look);
    return looking;
  }

  return {
    name: `tls-${listener}`,
    get current() {
      if (!material) throw new Error(`the certificate of ${listener} is not loaded yet`);
      return material;
    },
    onChange(listen) {
      listeners.add(listen);
      return () => void listeners.delete(listen);
    },
    reload,
    load,
    async start() {
      if (!material) await load();
      running = true;
      loop.start();
    },
    async stop() {
      running = false;
      await loop.stop();
      await looking;
    },
  };
}
