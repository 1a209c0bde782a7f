/** What the cache holds, and how it is emptied. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buildRecord } from './build.ts';
import { withLock } from './lock.ts';
import { runRecords, sweep } from './run.ts';
import { type Log, which } from './tools.ts';
import { ARTEFACTS, artefactKey, cacheRoot } from './versions.ts';

/** A report for people: builds with their versions, tools, runs. */
export function status(): string {
  const lines = [`cache ${cacheRoot()}`];
  for (const name of ARTEFACTS) {
    const record = buildRecord(name);
    const details = Object.entries(record?.details ?? {}).map(([key, value]) => `${key} ${value}`);
    const built = record && `built ${record.builtAt.slice(0, 16)} in ${record.seconds} s  ${details.join(', ')}`;
    lines.push(`  ${artefactKey(name).padEnd(28)} ${built ?? 'not built'}`);
  }
  lines.push(`  ${'haproxy'.padEnd(28)} ${which('haproxy') ?? 'not installed'}`);
  const runs = runRecords();
  lines.push(runs.length === 0 ? 'no runs' : 'runs');
  for (const run of runs) {
    const ports = Object.entries(run.ports).map(([name, port]) => `${name} ${port}`);
    lines.push(`  ${run.id} ${run.state}, process ${run.owner.pid}, ${ports.join(', ')}, ${run.dir}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Removes the whole cache; refuses while a run or a mount is in it. */
export async function clean(log: Log): Promise<void> {
  const root = cacheRoot();
  if (!existsSync(root)) return;
  await withLock(join(root, 'build.lock'), async () => {
    sweep(log);
    const running = runRecords().find(record => record.state === 'running');
    if (running !== undefined) throw new Error(`process ${running.owner.pid} is using the cache (run ${running.id})`);
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    const mounted = mounts.split('\n').find(line => line.split(' ')[1]?.startsWith(`${root}/`));
    if (mounted !== undefined) throw new Error(`something is mounted in the cache: ${mounted}`);
    // Lock files stay: removing one that somebody waits for would let two holders in.
    const entries = readdirSync(root).filter(entry => !entry.endsWith('.lock'));
    for (const entry of entries) await rm(join(root, entry), { recursive: true, force: true });
  });
  log(`emptied ${root}`);
}
