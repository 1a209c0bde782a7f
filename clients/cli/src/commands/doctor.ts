import { MachineState, ParleyClientError, toClientError } from '@parley/client';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { EXIT } from '../exit-codes.ts';
import { failureOf } from '../output/failure.ts';
import { personText } from '../output/shapes.ts';
import { oneLine, sanitise } from '../output/text.ts';
import { lengthOf } from '../output/time.ts';
import type { Shell } from '../shell.ts';
import { goOnline } from '../stream.ts';

/** `doctor`. */
export function doctorCommand(shell: Shell): Command {
  return new Command('doctor')
    .description('check step by step: server, sign-in, stream, versions, clock; exit code 1 when something is wrong')
    .action(shell.action(doctor));
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly remedy?: string;
}

/** A wrong clock of this size confuses people, though not the client. */
const CLOCK_TOLERANCE_MS = 5_000;

async function doctor(cli: Cli): Promise<number> {
  const { print, io } = cli;
  const checks: Check[] = [];
  /** Runs a check; those after one that failed are not run. */
  async function check(name: string, work: () => Promise<string>): Promise<void> {
    if (checks.some(c => !c.ok)) return;
    try {
      checks.push({ name, ok: true, detail: await work() });
    } catch (error) {
      const { message, code, remedy } = failureOf(toClientError(error, io.interrupted));
      checks.push({ name, ok: false, detail: `${message} (${code})`, ...(remedy && { remedy }) });
    }
  }
  const server = cli.server();
  const client = cli.client();

  await check('server', async () => {
    const began = performance.now();
    // any answer will do, a refusal too: an unknown method shows that a Parley is there
    await client.services.directory.getMe({}, { signal: io.interrupted }).catch(onlyIfUnreachable);
    return `${server} answers after ${Math.round(performance.now() - began)} ms`;
  });
  await check('sign-in', async () => {
    const { person } = await client.services.directory.getMe({}, { signal: io.interrupted });
    return `as ${person ? sanitise(personText(person)) : 'nobody'} (profile ${cli.profile.name})`;
  });
  await check('stream', async () => {
    const began = performance.now();
    await goOnline(cli, client, MachineState.AWAY);
    return `open after ${Math.round(performance.now() - began)} ms`;
  });
  const connection = client.connection.getSnapshot();
  if (connection.phase === 'online') {
    const { serverVersion, upgradeAdvised, clockAheadMs } = connection;
    checks.push({
      name: 'version',
      ok: true,
      detail: `server ${oneLine(serverVersion)}${upgradeAdvised ? '; a newer client is recommended' : ''}`,
    });
    const off = Math.abs(clockAheadMs);
    checks.push({
      name: 'clock',
      ok: off <= CLOCK_TOLERANCE_MS,
      detail: off <= 1_000 ? 'right' : `this machine is ${lengthOf(off)} ${clockAheadMs > 0 ? 'ahead' : 'behind'}`,
      ...(off > CLOCK_TOLERANCE_MS && { remedy: 'Let the clock be set by the network (NTP).' }),
    });
  }
  print.result({ server, healthy: checks.every(c => c.ok), checks }, () =>
    checks.flatMap(({ name, ok, detail, remedy }) => [
      `${ok ? print.style('green', 'ok  ') : print.style('red', 'FAIL')}  ${name.padEnd(8)}  ${oneLine(detail)}`,
      ...(remedy ? [`                ${remedy}`] : []),
    ]),
  );
  return checks.every(c => c.ok) ? EXIT.ok : EXIT.negative;
}

/** Passes refusals over: whoever refuses, answers. */
function onlyIfUnreachable(error: unknown): void {
  const failure = toClientError(error);
  const code = failure instanceof ParleyClientError ? failure.code : '';
  if (code.startsWith('client.') && code !== 'client.signed_out') throw failure;
}
