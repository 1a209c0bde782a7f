import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePorts } from '@parley/testkit';
import { type CommandStep, missingLine, type Step } from './page.ts';
import { Terminal } from './terminal.ts';

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/** Stays whoever it is: data and configuration are moved aside, too. */
const SUDO = String.raw`#!/bin/bash
[ "$1" = -u ] && shift 2
if [ "$1 $2 $5 $6 $7 $8" = "install -d -o parley -g parley" ]; then set -- mkdir -p -m 700 "${'$'}{@:9}"; fi
exec "$@"
`;

const STEP_MS = 120_000;

/** How a page is followed. */
export interface RunPageOptions {
  /** Pages begin in the checkout, or in an empty directory with `bin` on the path. */
  readonly from: 'checkout' | 'empty directory';
  /** Told of every command with what it printed. */
  readonly onOutput?: (step: CommandStep, output: string, exit: number | undefined) => void;
  /** Go on where the page shows something else than what was printed. */
  readonly lenient?: boolean;
}

/** Does what the page says, in terminals, a home and ports of its own. Throws where a command does something else. */
export async function runPage(steps: readonly Step[], options: RunPageOptions): Promise<void> {
  const aside = await moveAside();
  const cwd = options.from === 'checkout' ? ROOT : aside.home;
  const terminals = new Map<string, Terminal>();
  try {
    for (const step of steps) {
      const printed = () => [...terminals.values()].map(each => each.printed).join('\n');
      const prepare = (text: string) => fillIn(aside.replace(text), aside.data, printed);
      if (step.kind === 'file') {
        assert.equal(cwd, aside.home, `line ${step.line}: files are only made by pages that begin elsewhere`);
        writeFileSync(resolve(cwd, prepare(step.path)), prepare(step.text));
      } else if (step.skip === undefined) {
        const terminal = terminals.get(step.terminal) ?? new Terminal(cwd, aside.env);
        terminals.set(step.terminal, terminal);
        await runStep(step, terminal, prepare, options);
      }
    }
  } finally {
    for (const terminal of [...terminals.values()].reverse()) await terminal.close();
    rmSync(aside.home, { recursive: true, force: true });
  }
}

async function runStep(
  step: CommandStep,
  terminal: Terminal,
  prepare: (text: string) => string,
  { onOutput, lenient }: RunPageOptions,
): Promise<void> {
  const where = `line ${step.line}: ${step.command}`;
  const { output, exit } = await terminal
    .run(prepare(filledIn(step)), {
      typed: step.typed.map(prepare),
      until: step.until === undefined ? undefined : prepare(step.until),
      press: step.press,
      timeoutMs: STEP_MS,
    })
    .catch((error: Error) => assert.fail(`${where}: ${error.message}`));
  onOutput?.(step, output, exit);
  if (lenient) return;
  const end = output.slice(-3_000);
  const goesOn = step.until !== undefined && step.press === undefined;
  if (exit !== undefined || !goesOn) assert.equal(exit, step.exit, `${where} printed:\n${end}`);
  const missing = missingLine((step.output ?? []).map(prepare), output);
  assert.equal(missing, undefined, `${where} did not print this line; it printed:\n${end}`);
}

function filledIn({ command, fill }: CommandStep): string {
  return fill ? command.replaceAll(fill[0], () => fill[1]) : command;
}

/** The addresses and directories that pages name, moved aside. */
async function moveAside() {
  const home = mkdtempSync(join(tmpdir(), 'parley-page-'));
  const data = join(home, 'data');
  const bin = join(home, '.bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'sudo'), SUDO, { mode: 0o755 });
  const ports = (await freePorts(3)).map(String) as [string, string, string];
  const moved: readonly (readonly [text: string, to: string])[] = [
    ['/opt/parley', ROOT],
    ['/var/lib/parley', data],
    ['/var/backups/parley', join(home, 'backups')],
    ['/etc/parley', join(home, 'etc')],
    [':7380', `:${ports[0]}`],
    [':7390', `:${ports[1]}`],
    [':7399', `:${ports[2]}`],
  ];
  const replace = (text: string) => moved.reduce((all, [from, to]) => all.replaceAll(from, to), text);
  const env = {
    PATH: `${bin}:${join(ROOT, 'bin')}:${process.env.PATH}`,
    HOME: home,
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? home, '.cache'),
    TRANSCRIPT_NODE: process.execPath,
    PARLEY_DATA_DIR: data,
    PARLEY_PUBLIC_PORT: ports[0],
    PARLEY_GRPC_PORT: ports[1],
    PARLEY_ADMIN_PORT: ports[2],
  };
  return { home, data, env, replace };
}

/** `{password:ADDRESS}` is a demo password, `{printed:PATTERN}` the first group of the pattern in what was shown last. */
function fillIn(text: string, data: string, printed: () => string): string {
  return text.replace(/\{(password|printed):((?:[^{}]|\{\d+\})+)\}/g, (_, kind: string, value: string) => {
    const from = kind === 'password' ? readFileSync(join(data, 'demo-accounts.txt'), 'utf8') : printed();
    const pattern = kind === 'password' ? `^${value.replaceAll('.', '\\.')}\\s+(\\S+)` : value;
    const found = [...from.matchAll(new RegExp(pattern, 'gm'))].at(-1)?.[1];
    assert.ok(found !== undefined, `nothing for ${kind} ${value}`);
    return found;
  });
}
