import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Clock, Counter, Gauge, Histogram, Logger, Metrics } from '@parley/runtime';
import { StoreError } from '../../errors.ts';
import type { SqliteWriter } from '../../sqlite-writer.ts';
import { type Checkpointer, startCheckpointer } from './checkpointer.ts';
import { codeOf as code, damaged, diagnosis, firstDamage, isDamage } from './diagnosis.ts';
import { lockDatabase } from './lock.ts';
import { row, statement } from './statements.ts';
import { createSteadyTime, type SteadyTime } from './steady-time.ts';
import { openWalSync, type WalSync } from './wal-sync.ts';

/** How to open the writer. */
export interface SqliteWriterOptions {
  /** File, made when missing (mode 600, its directory 700), or `:memory:`. */
  readonly path: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Page cache, bytes; default 256 MB. */
  readonly cacheBytes?: number;
  /**
   * How long a commit waits for company, milliseconds; default 0: it runs on the next turn of the event loop and takes
   * what that turn brought.
   */
  readonly commitDelayMs?: number;
  /** Most ops of one commit; default 2,000. */
  readonly commitOps?: number;
  /** A commit takes no more ops after so many milliseconds; default 50. */
  readonly commitMs?: number;
  /** Ops that may wait; more are refused with `store.overloaded`. Default 100,000. */
  readonly queueOps?: number;
  /** Pages of the log after which it begins anew once it is copied; default 4,000 (16 MB). */
  readonly checkpointPages?: number;
  /**
   * A file up to this size is read and its structure checked before it is used, bytes; default 0: never. About a second
   * for each 500 MB.
   */
  readonly checkBytes?: number;
  /** Makes the log durable; default fdatasync(2). For tests. */
  readonly walSync?: (path: string) => WalSync;
  /** Writes, or four times as many changed rows, after which a thread of its own copies the log; default 2,000. */
  readonly checkpointOps?: number;
}

interface Op {
  readonly run: (db: DatabaseSync) => unknown;
  readonly atomic: boolean;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  result: unknown;
  error: unknown;
  failed: boolean;
}

/** Writer that also tells what it did. */
export interface GroupCommitWriter extends SqliteWriter {
  /** Commits made so far. */
  readonly commits: number;
  /** Ops that wait for a commit. */
  readonly queued: number;
}

/**
 * Opens the one writer of a SQLite file: WAL, group commit, each group made durable before its promises resolve. Throws `store.locked` when another
 * process has the file open this way, `store.unavailable` when it cannot be opened or is damaged.
 */
export function openSqliteWriter(options: SqliteWriterOptions): GroupCommitWriter {
  return new Writer(options);
}

/** Primary result codes after which nothing of the group can be trusted: READONLY, IOERR, CORRUPT, FULL, NOMEM, NOTADB. */
const FATAL = new Set([7, 8, 10, 11, 13, 26]);
/** Failures of COMMIT after which surely nothing was written: BUSY, NOMEM, READONLY, FULL. */
const CLEAN = new Set([5, 7, 8, 13]);

class Writer implements GroupCommitWriter {
  readonly db: DatabaseSync;
  healthy = true;
  commits = 0;
  #queue: Op[] = [];
  #scheduled = false;
  #closing: Promise<void> | undefined;
  #closed: (() => void) | undefined;
  /** The sync under way, of the newest commit. */
  #syncing: Promise<void> | undefined;
  /** After a failed sync nobody knows what the file holds; a damaged one is not to be made worse. */
  #broken: StoreError | undefined;
  #opsSinceCheckpoint = 0;
  #rowsAtCheckpoint = 0;
  readonly #path: string;
  readonly #time: SteadyTime;
  readonly #wal: WalSync | undefined;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #checkpointOps: number;
  readonly #lock: { release(): void } | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger | undefined;
  readonly #delay: number;
  readonly #ops: number;
  readonly #ms: number;
  readonly #queueOps: number;
  readonly #meters: { seconds: Histogram; size: Histogram; failures: Counter; waiting: Gauge } | undefined;

  constructor(o: SqliteWriterOptions) {
    this.#path = o.path;
    this.#clock = o.clock;
    this.#logger = o.logger;
    this.#delay = o.commitDelayMs ?? 0;
    this.#ops = o.commitOps ?? 2000;
    this.#ms = o.commitMs ?? 50;
    this.#queueOps = o.queueOps ?? 100_000;
    this.#meters = o.metrics && meters(o.metrics);
    this.#checkpointOps = o.checkpointOps ?? 2000;
    const memory = o.path === ':memory:';
    if (!memory) createPrivately(o.path);
    this.#lock = memory ? undefined : lockDatabase(o.path);
    try {
      this.db = new DatabaseSync(o.path, { timeout: 5000, enableForeignKeyConstraints: false });
      this.db.exec(`PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;
        PRAGMA cache_size=-${Math.max(1024, Math.floor((o.cacheBytes ?? 256 * 1024 * 1024) / 1024))};
        PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=${64 * 1024 * 1024};
        PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF; SELECT count(*) FROM sqlite_schema`);
      if (!memory) this.#check(o.checkBytes ?? 0);
      this.#time = createSteadyTime(this.db, o.clock, o.logger);
    } catch (cause) {
      this.#lock?.release();
      if (cause instanceof StoreError) throw cause;
      throw new StoreError('store.unavailable', diagnosis(o.path, cause), { cause });
    }
    if (memory) return;
    this.#wal = (o.walSync ?? openWalSync)(o.path);
    const checkpointPages = o.checkpointPages ?? 4000;
    this.#checkpointer = startCheckpointer({
      path: o.path,
      copied: pages => pages >= checkpointPages && this.#finishCheckpoint(),
      failed: message => this.#logger?.warn('store.sqlite.checkpoint_failed', { message }),
    });
  }

  #check(most: number): void {
    const bytes = statSync(this.#path).size;
    const damage = bytes > 0 && bytes <= most ? firstDamage(this.db) : undefined;
    if (damage !== undefined) throw new StoreError('store.unavailable', damaged(this.#path, damage));
  }

  get queued(): number {
    return this.#queue.length;
  }

  write<T>(run: (db: DatabaseSync) => T, options?: { readonly atomic?: boolean }): Promise<T> {
    if (this.#closing) return Promise.reject(new StoreError('store.closed', 'the store is closed'));
    if (this.#broken) return Promise.reject(this.#broken);
    if (this.#queue.length >= this.#queueOps)
      return Promise.reject(new StoreError('store.overloaded', `${this.#queueOps} writes wait already`));
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run,
        atomic: options?.atomic === true,
        resolve: resolve as (value: unknown) => void,
        reject,
        result: undefined,
        error: undefined,
        failed: false,
      });
      this.#schedule();
    });
  }

  durable(): Promise<void> | undefined {
    return this.#broken ? Promise.reject(this.#broken) : this.#syncing;
  }

  now(): number {
    return this.#time.now();
  }

  readFailed(cause: unknown): unknown {
    if (cause instanceof StoreError || code(cause) === 0) return cause;
    if (isDamage(cause)) this.#distrust(cause);
    return this.#broken ?? new StoreError('store.unavailable', diagnosis(this.#path, cause), { cause });
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>(resolve => {
      this.#closed = resolve;
      if (this.#syncing) return;
      if (this.#queue.length === 0) this.#release();
      else if (!this.#scheduled) this.#schedule();
    });
    return this.#closing;
  }

  #release(): void {
    void (this.#checkpointer?.close() ?? Promise.resolve()).finally(() => {
      this.#wal?.close();
      // Closing would copy the log, whose pages may not be what was written, over what is good in the file.
      if (!this.#broken) this.db.close();
      this.#lock?.release();
      this.#closed?.();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#syncing) return;
    this.#scheduled = true;
    if (this.#delay > 0 && !this.#closing) this.#clock.timer(this.#delay, () => this.#flush());
    else setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const started = this.#clock.monotonic();
    const group = this.#commit(started);
    if (!this.#wal || !this.healthy || this.db.isTransaction) return this.#settle(group, started);
    this.#syncing = this.#wal.sync().then(
      () => {
        this.#syncing = undefined;
        this.#settle(group, started);
      },
      (cause: unknown) => {
        this.#syncing = undefined;
        this.#break(group, cause);
        this.#settle(group, started);
        throw this.#broken;
      },
    );
    this.#syncing.catch(() => undefined); // whoever waits for it hears of it
  }

  #settle(group: readonly Op[], started: number): void {
    for (const op of group)
      if (op.failed) op.reject(op.error);
      else op.resolve(op.result);
    this.#meters?.seconds.observe((this.#clock.monotonic() - started) / 1000);
    this.#meters?.size.observe(group.length);
    this.#meters?.waiting.set(this.#queue.length);
    if (this.#checkpointer && !this.#broken) this.#keepShort(group.length);
    if (this.#queue.length > 0) this.#schedule();
    else if (this.#closing) this.#release();
  }

  /** One write may change thousands of rows: those count, too. */
  #keepShort(ops: number): void {
    this.#opsSinceCheckpoint += ops;
    const rows = row(statement(this.db, 'SELECT total_changes()'))?.[0] as number;
    if (this.#opsSinceCheckpoint < this.#checkpointOps && rows - this.#rowsAtCheckpoint < this.#checkpointOps * 4)
      return;
    this.#opsSinceCheckpoint = 0;
    this.#rowsAtCheckpoint = rows;
    this.#checkpointer?.run();
  }

  /** Copies the little that was written during the copying, so that the next commit begins the log anew. */
  #finishCheckpoint(): void {
    try {
      statement(this.db, 'PRAGMA wal_checkpoint(PASSIVE)').get();
    } catch (error) {
      this.#logger?.warn('store.sqlite.checkpoint_failed', { message: (error as Error).message });
    }
  }

  /**
   * The system could not say that the log is on disk, and after that forgets what was not: nothing more may be
   * acknowledged by this process. https://lwn.net/Articles/752063/
   */
  #break(group: readonly Op[], cause: unknown): void {
    const what = `the log of ${this.#path} could not be made durable (${(cause as Error).message})`;
    const message = `${what}: check the disk, then restart Parley; nothing is stored until then`;
    const error = new StoreError('store.unavailable', message, { outcome: 'unknown', cause });
    for (const op of group) {
      op.failed = true;
      op.error = error;
    }
    this.#refuseAll(message, cause);
    this.#logger?.error('store.sqlite.sync_failed', { err: cause, ops: group.length, remedy: message });
  }

  /** The file is not what was written: writing on could spoil what is still good. */
  #distrust(cause: unknown): void {
    if (this.#broken) return;
    const message = diagnosis(this.#path, cause);
    this.#refuseAll(message, cause);
    this.#logger?.error('store.sqlite.damaged', { err: cause, remedy: message });
  }

  #refuseAll(message: string, cause: unknown): void {
    const broken = new StoreError('store.unavailable', message, { outcome: 'not-applied', cause });
    this.#broken = broken;
    for (const op of this.#queue.splice(0)) op.reject(broken);
    this.healthy = false;
    this.#meters?.failures.inc();
  }

  /** Runs one group and tells each of its ops what became of it. */
  #commit(started: number): Op[] {
    const group: Op[] = [];
    let committing = false;
    try {
      statement(this.db, 'BEGIN IMMEDIATE').run();
      const most = Math.min(this.#queue.length, this.#ops);
      for (let i = 0; i < most; i++) {
        const op = this.#queue[i] as Op;
        group.push(op);
        this.#run(op);
        if ((i & 15) === 15 && this.#clock.monotonic() - started > this.#ms) break;
      }
      if (group.length > 0) this.#time.keep();
      committing = true;
      statement(this.db, 'COMMIT').run();
      this.commits++;
      this.#heal();
    } catch (cause) {
      this.#fail(group, cause, committing && !CLEAN.has(code(cause)) ? 'unknown' : 'not-applied');
    }
    this.#queue = group.length === this.#queue.length ? [] : this.#queue.slice(group.length);
    return group;
  }

  #run(op: Op): void {
    if (!op.atomic) statement(this.db, 'SAVEPOINT op').run();
    try {
      op.result = op.run(this.db);
      if (!op.atomic) statement(this.db, 'RELEASE op').run();
    } catch (error) {
      if (FATAL.has(code(error)) || !this.db.isTransaction) throw error;
      if (op.atomic && !(error instanceof StoreError)) throw error;
      if (!op.atomic) this.db.exec('ROLLBACK TO op; RELEASE op');
      op.failed = true;
      op.error = error;
    }
  }

  #fail(group: Op[], cause: unknown, outcome: 'not-applied' | 'unknown'): void {
    try {
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
    } catch (error) {
      this.#logger?.error('store.sqlite.rollback_failed', { err: error });
    }
    if (group.length === 0) group.push(...this.#queue.slice(0, this.#ops));
    const remedy = diagnosis(this.#path, cause);
    for (const op of group) {
      op.failed = true;
      op.error = new StoreError('store.unavailable', `the commit failed: ${remedy}`, { outcome, cause });
    }
    if (this.healthy)
      this.#logger?.error('store.sqlite.commit_failed', { err: cause, ops: group.length, outcome, remedy });
    this.healthy = false;
    this.#meters?.failures.inc();
    if (!isDamage(cause)) return;
    this.#queue = this.#queue.slice(group.length);
    this.#distrust(cause);
  }

  #heal(): void {
    if (this.healthy || this.#broken) return;
    this.healthy = true;
    this.#logger?.info('store.sqlite.commit_works_again');
  }
}

function createPrivately(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    throw new StoreError('store.unavailable', `cannot create ${path}`, { cause });
  }
}

function meters(metrics: Metrics) {
  return {
    seconds: metrics.histogram({
      name: 'parley_store_commit_seconds',
      help: 'Time of a SQLite commit with its writes, seconds.',
      buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1],
    }),
    size: metrics.histogram({
      name: 'parley_store_commit_writes',
      help: 'Writes that shared one SQLite commit.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000],
    }),
    failures: metrics.counter({ name: 'parley_store_commit_failures_total', help: 'SQLite commits that failed.' }),
    waiting: metrics.gauge({ name: 'parley_store_writes_waiting', help: 'Writes that wait for a SQLite commit.' }),
  };
}
