import type { Clock } from './clock.ts';
import type { Health } from './health.ts';
import type { Logger } from './logger.ts';
import type { Module } from './module.ts';

/** Settings of {@link runModules}. */
export interface RunOptions {
  readonly logger: Logger;
  readonly clock: Clock;
  /** How long one module may take to stop, milliseconds, default 15,000; then the next one is stopped. */
  readonly stopTimeoutMs?: number;
}

/** Modules that run. */
export interface Running {
  /**
   * Stops in reverse order; each module gets its time whatever happened to the others. May be called more than once.
   * Resolves with the names of those that failed or took too long.
   */
  stop(): Promise<readonly string[]>;
}

/**
 * Starts modules in order. When one fails, it and those before it are stopped in reverse order and the rejection is
 * what it failed with. Throws when two have the same name.
 */
export async function runModules(modules: readonly Module[], options: RunOptions): Promise<Running> {
  const { logger, clock } = options;
  const names = modules.map(module => module.name);
  if (new Set(names).size !== names.length) throw new Error(`two modules have the same name: ${names.join(', ')}`);
  const started: Module[] = [];
  for (const module of modules) {
    const began = clock.monotonic();
    started.push(module);
    try {
      await module.start();
      logger.debug('runtime.module.started', { module: module.name, ms: Math.round(clock.monotonic() - began) });
    } catch (error) {
      logger.error('runtime.module.start_failed', { module: module.name, err: error });
      await stopAll(started, options);
      throw error;
    }
  }
  let stopping: Promise<readonly string[]> | undefined;
  return {
    stop() {
      stopping ??= stopAll(started, options);
      return stopping;
    },
  };
}

async function stopAll(started: readonly Module[], options: RunOptions): Promise<readonly string[]> {
  const { logger, clock } = options;
  const timeoutMs = options.stopTimeoutMs ?? 15_000;
  const failed: string[] = [];
  for (const module of started.toReversed()) {
    const began = clock.monotonic();
    const error = await within(module, clock, timeoutMs);
    if (error === undefined) {
      logger.debug('runtime.module.stopped', { module: module.name, ms: Math.round(clock.monotonic() - began) });
    } else {
      failed.push(module.name);
      logger.error('runtime.module.stop_failed', { module: module.name, err: error });
    }
  }
  return failed;
}

/** What went wrong while stopping; undefined when nothing did. */
function within(module: Module, clock: Clock, timeoutMs: number): Promise<unknown> {
  return new Promise(resolve => {
    const late = () => resolve(new Error(`${module.name} did not stop within ${timeoutMs} ms`));
    const timer = clock.timer(timeoutMs, late);
    const done = (error?: unknown) => {
      timer.cancel();
      resolve(error);
    };
    // Even a stop that throws at once must not keep the others running.
    (async () => module.stop())().then(
      () => done(),
      error => done(error ?? new Error('unknown')),
    );
  });
}

/** What {@link runUntilSignal} needs of the process; the tests give another one. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: () => void): unknown;
  off(signal: NodeJS.Signals, listener: () => void): unknown;
  exit(code: number): void;
}

/** Settings of {@link runUntilSignal}. */
export interface RunUntilSignalOptions extends RunOptions {
  readonly health: Health;
  /** Between "not ready" and the first stop, so that load balancers notice, milliseconds, default 0. */
  readonly drainMs?: number;
  /** Called when everything is started. */
  readonly onStarted?: () => void;
  /** Called at SIGHUP. Without it, SIGHUP ends the process as the system has it. */
  readonly reload?: () => void;
  /** Default: this process. */
  readonly signals?: SignalSource;
}

/**
 * For mains: starts the modules and resolves with the exit code after SIGTERM or SIGINT and an orderly stop: 0, or 1
 * when something could not be stopped. Rejects when something does not start. A second signal ends the process at once
 * with code 130. Keeps the process alive.
 */
export async function runUntilSignal(modules: readonly Module[], options: RunUntilSignalOptions): Promise<number> {
  const { logger, clock, health } = options;
  const signals = options.signals ?? process;
  let asked = 0;
  let wake: (signal: string) => void = () => {};
  const asleep = new Promise<string>(resolve => {
    wake = resolve;
  });
  const listeners = (['SIGTERM', 'SIGINT'] as const).map(signal => {
    const listener = () => {
      if (++asked > 1) signals.exit(130);
      wake(signal);
    };
    signals.on(signal, listener);
    return () => signals.off(signal, listener);
  });
  if (options.reload) {
    const { reload } = options;
    const listener = () => {
      logger.info('runtime.reloading', { signal: 'SIGHUP' });
      reload();
    };
    signals.on('SIGHUP', listener);
    listeners.push(() => signals.off('SIGHUP', listener));
  }
  const alive = setInterval(() => {}, 0x7fffffff);
  try {
    const running = await runModules(modules, options);
    logger.info('runtime.started', { modules: modules.map(module => module.name) });
    options.onStarted?.();
    const signal = await asleep;
    logger.info('runtime.stopping', { signal });
    health.draining();
    if (options.drainMs) await clock.sleep(options.drainMs);
    const failed = await running.stop();
    logger.info('runtime.stopped', { failed });
    return failed.length === 0 ? 0 : 1;
  } finally {
    clearInterval(alive);
    for (const forget of listeners) forget();
  }
}
