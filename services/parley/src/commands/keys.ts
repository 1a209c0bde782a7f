import { checkpointKeyId } from '@parley/archiving-service';
import { publicKeyId } from '@parley/auth';
import type { ParleyConfig } from '../config.ts';
import { type Aftermath, createSuccessor, removeKeyFiles, retirable } from '../create-keys.ts';
import type { KeyFile } from '../keys.ts';
import type { CommandContext } from './context.ts';

/** What `parley keys rotate` may be told. Without any of the first three, every family of which there is a key. */
export interface RotateOptions {
  readonly service?: readonly string[];
  readonly personToken?: boolean;
  readonly checkpoint?: boolean;
  /** Seconds until the new keys sign. */
  readonly signAfter: number;
}

const SERVICE_TOKEN_MS = 60_000;
/** For clocks that differ, for calls under way and key sets that others keep for a while. */
const MARGIN_MS = 360_000;

const aftermathOf =
  ({ directory }: ParleyConfig): Aftermath =>
  family =>
    MARGIN_MS +
    (family === 'person-token' ? directory.accessTokenLifetimeMs : family === 'checkpoint' ? 0 : SERVICE_TOKEN_MS);

/**
 * `parley keys rotate`: writes successors of keys. They are known to running processes as soon as these see the files,
 * and sign from a time on that is part of their name, so that everybody knows a key before anything is signed with it.
 */
export function rotateKeys({ config, keys, clock }: CommandContext, options: RotateOptions): readonly string[] {
  const known = keys.list();
  const wanted = familiesOf(known, options);
  const nowMs = clock.now();
  const signsFromMs = Math.ceil(nowMs / 1000) * 1000 + options.signAfter * 1000;
  const lines = wanted.map(family => {
    const waiting = known.find(key => key.family === family && key.signsFromMs > nowMs && key.hasPrivate);
    if (waiting) return `${waiting.base} is there already and signs from ${timeOf(waiting.signsFromMs)}`;
    const { base } = createSuccessor(keys.dir, family, signsFromMs);
    return `wrote ${base}.pem and ${base}.pub: signs from ${timeOf(signsFromMs)}`;
  });
  const due = retirable(known, nowMs, aftermathOf(config));
  return [
    ...lines,
    `Processes with another key directory than ${keys.dir} need the new files before that: every process the .pub, who signs the .pem.`,
    ...(due.length > 0 ? [`nobody needs ${due.join(', ')} any more: parley keys retire`] : []),
  ];
}

function familiesOf(known: readonly KeyFile[], { service, personToken, checkpoint }: RotateOptions): readonly string[] {
  const there = new Set(known.filter(key => key.hasPrivate).map(key => key.family));
  const named = [
    ...(personToken ? ['person-token'] : []),
    ...(checkpoint ? ['checkpoint'] : []),
    ...(service ?? []).map(name => `service-${name}`),
  ];
  const wanted = named.length > 0 ? named : [...there];
  if (wanted.length === 0) throw new Error("there is no key to rotate; 'parley init' makes the first ones");
  for (const family of wanted) {
    if (there.has(family)) continue;
    const others = [...there].filter(name => name.startsWith('service-')).map(name => name.slice('service-'.length));
    throw new Error(
      family.startsWith('service-')
        ? `there is no key of ${family.slice('service-'.length)} here, only of ${others.join(', ') || 'no service'}`
        : `there is no ${family} key here`,
    );
  }
  return [...new Set(wanted)];
}

/** `parley keys retire`: removes key files that nobody needs any more. Public keys of checkpoints stay for ever. */
export function retireKeys(
  { config, keys, clock }: CommandContext,
  { dryRun = false }: { readonly dryRun?: boolean } = {},
): readonly string[] {
  const due = retirable(keys.list(), clock.now(), aftermathOf(config));
  if (due.length === 0) return ['there is nothing to retire'];
  if (!dryRun) removeKeyFiles(keys.dir, due);
  return due.map(file => `${dryRun ? 'would remove' : 'removed'} ${file}`);
}

/** `parley keys list`: every key that signs or has signed. */
export function listKeys({ config, keys, clock }: CommandContext): readonly string[] {
  const known = keys.list();
  const nowMs = clock.now();
  const due = new Set(retirable(known, nowMs, aftermathOf(config)));
  const rows = known.map(key => [key.base, idOf(key), ...stateOf(key, nowMs, due)]);
  const header = ['KEY', 'ID', 'SIGNS FROM', 'STATE'];
  const widths = header.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]?.length ?? 0)));
  return [header, ...rows].map(row =>
    row
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
}

/** As the archive and token headers name it. */
function idOf({ family, publicPem }: KeyFile): string {
  if (publicPem === undefined) return '-';
  return family === 'checkpoint' ? checkpointKeyId(publicPem) : publicKeyId(publicPem).slice(0, 22);
}

function stateOf(key: KeyFile, nowMs: number, due: ReadonlySet<string>): readonly [string, string] {
  const { base, family, signsFromMs, hasPrivate, signs } = key;
  const from = signsFromMs < 1e11 ? 'the beginning' : timeOf(signsFromMs);
  if (signs) return [from, 'signs'];
  if (!hasPrivate) return [from, 'verifies; the private key is not here'];
  if (signsFromMs > nowMs) return [from, 'known, will sign'];
  if (!due.has(`${base}.pem`)) return [from, 'verifies what it signed'];
  return [from, family === 'checkpoint' ? 'verifies; its private key can be retired' : 'can be retired'];
}

const timeOf = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');
