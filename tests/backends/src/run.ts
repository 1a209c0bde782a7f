/**
 * A run: one set of servers, its folder, its ports, its record on disk. The record is what lets a later process clean up
 * after one that died, and what keeps two runs from choosing the same port.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { withLock } from './lock.ts';
import { freePorts } from './net.ts';
import { isAlive, killTreeSync, type ProcessRef, refOf } from './proc.ts';
import type { ServerSpec } from './server.ts';
import type { Log } from './tools.ts';
import { cacheRoot } from './versions.ts';

/** What a run writes about itself. */
export interface RunRecord {
  readonly id: string;
  readonly owner: ProcessRef;
  readonly dir: string;
  /** The folder belongs to the caller and is never removed. */
  readonly keep: boolean;
  readonly ports: Readonly<Record<string, number>>;
  readonly servers: Readonly<Record<string, ProcessRef>>;
  readonly state: 'running' | 'failed';
}

/** What a backend needs to know about the run it belongs to. */
export interface RunContext {
  readonly dir: string;
  port(name: string): number;
  /** The part of a server's spec that is the same for all: folder, log file, record keeping. */
  server(name: string): Pick<ServerSpec, 'name' | 'cwd' | 'logFile' | 'log' | 'onStart'>;
}

/** A run that is open in this process. */
export interface Run extends RunContext {
  /** Ends it: the record goes, and the folder with it unless it failed or belongs to the caller. Synchronous for exit handlers. */
  close(outcome: 'clean' | 'failed'): void;
}

/** So many folders of failed runs are kept for reading; older ones go when a new run starts. */
export const KEPT_FAILURES = 3;

const runsDir = (): string => join(cacheRoot(), 'runs');
const recordFile = (id: string): string => join(runsDir(), `${id}.json`);

/** Opens a run: cleans up after dead ones, chooses ports, creates the folder. `dir` is for data that outlives the run. */
export function openRun(portNames: readonly string[], log: Log, dir?: string): Promise<Run> {
  return withLock(join(cacheRoot(), 'runs.lock'), async () => {
    sweep(log);
    const live = runRecords().filter(record => record.state === 'running');
    const id = `${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`;
    const path = dir === undefined ? join(runsDir(), id) : resolve(dir);
    const user = live.find(record => record.dir === path);
    if (user !== undefined) throw new Error(`${path} is in use by process ${user.owner.pid}`);
    const found = await freePorts(portNames.length, new Set(live.flatMap(record => Object.values(record.ports))));
    const ports = Object.fromEntries(portNames.map((name, index) => [name, found[index] ?? 0]));
    const owner = refOf(process.pid);
    if (owner === undefined) throw new Error('/proc is not mounted');
    mkdirSync(join(path, 'logs'), { recursive: true });
    return createRun({ id, owner, dir: path, keep: dir !== undefined, ports, servers: {}, state: 'running' }, log);
  });
}

function createRun(initial: RunRecord, log: Log): Run {
  let record = initial;
  writeRecord(record);
  return {
    dir: record.dir,
    port(name) {
      const port = record.ports[name];
      if (port === undefined) throw new Error(`no port was reserved for "${name}"`);
      return port;
    },
    server: name => ({
      name,
      cwd: record.dir,
      logFile: join(record.dir, 'logs', `${name}.log`),
      log,
      onStart(ref) {
        record = { ...record, servers: { ...record.servers, [name]: ref } };
        writeRecord(record);
      },
    }),
    close(outcome) {
      if (outcome === 'failed' && !record.keep) writeRecord({ ...record, state: 'failed' });
      else removeRun(record);
    },
  };
}

/** All runs on record, oldest first. */
export function runRecords(): RunRecord[] {
  if (!existsSync(runsDir())) return [];
  const files = readdirSync(runsDir()).filter(name => name.endsWith('.json'));
  return files.sort().map(name => JSON.parse(readFileSync(join(runsDir(), name), 'utf8')) as RunRecord);
}

/** Kills what dead processes left running, marks their runs as failed, and forgets all but the newest failures. */
export function sweep(log: Log): void {
  for (const record of runRecords()) {
    if (record.state !== 'running' || isAlive(record.owner)) continue;
    const left = Object.entries(record.servers).filter(([, ref]) => isAlive(ref));
    for (const [, ref] of left) killTreeSync(ref.pid);
    const names = left.map(([name]) => name).join(', ') || 'nothing';
    log(`run ${record.id}: its process ${record.owner.pid} is gone; still running and now killed: ${names}`);
    if (record.keep) removeRun(record);
    else writeRecord({ ...record, state: 'failed' });
  }
  const failed = runRecords().filter(record => record.state === 'failed');
  for (const record of failed.slice(0, -KEPT_FAILURES)) removeRun(record);
}

/** Forgets a run and removes its folder, unless that belongs to the caller. */
export function removeRun(record: RunRecord): void {
  if (!record.keep && basename(record.dir) === record.id) rmSync(record.dir, { recursive: true, force: true });
  rmSync(recordFile(record.id), { force: true });
}

function writeRecord(record: RunRecord): void {
  const file = recordFile(record.id);
  mkdirSync(runsDir(), { recursive: true });
  writeFileSync(`${file}.tmp`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
}
