import { MachineState, toClientError } from '@parley/client';
import type { Role } from '@parley/contracts';
import { Command } from 'commander';
import type { Cli } from '../cli.ts';
import { checkArchive, checkCertificate, checkServer, type Finding, type Level } from '../doctor/checks.ts';
import { EXIT } from '../exit-codes.ts';
import { failureOf } from '../output/failure.ts';
import { personText } from '../output/shapes.ts';
import { oneLine, sanitise } from '../output/text.ts';
import { lengthOf } from '../output/time.ts';
import type { Shell } from '../shell.ts';
import { goOnline } from '../stream.ts';
import { VERSION } from '../version.ts';

/** `doctor`. */
export function doctorCommand(shell: Shell): Command {
  return new Command('doctor')
    .description(
      'check step by step: server, certificate, sign-in, archive, stream, versions, clock; exit code 1 when something is wrong',
    )
    .action(shell.action(doctor));
}

interface Check extends Finding {
  readonly name: string;
}

/** A wrong clock of this size confuses people, though not the client. */
const CLOCK_TOLERANCE_MS = 5_000;

async function doctor(cli: Cli): Promise<number> {
  const { print, io } = cli;
  const checks: Check[] = [];
  /** Makes a check; whatever it throws is what it found. Says whether to go on. */
  async function check(name: string, work: () => Promise<Finding | undefined>): Promise<boolean> {
    let finding: Finding | undefined;
    try {
      finding = await work();
    } catch (error) {
      const { message, code, remedy } = failureOf(toClientError(error, io.interrupted));
      finding = { level: 'fail', detail: `${message} (${code})`, ...(remedy && { remedy }) };
    }
    io.interrupted.throwIfAborted();
    if (finding) checks.push({ name, ...finding });
    return finding?.level !== 'fail';
  }
  const server = cli.server();
  const client = cli.client();
  let roles: readonly Role[] = [];

  const reachable = await check('server', () => checkServer(cli, server));
  if (reachable) await check('certificate', () => checkCertificate(cli, server));
  const signedIn =
    reachable &&
    (await check('sign-in', async () => {
      const me = await client.services.directory.getMe({}, { signal: io.interrupted });
      roles = me.roles;
      const who = me.person ? sanitise(personText(me.person)) : 'nobody';
      return { level: 'ok', detail: `as ${who} (profile ${cli.profile.name})` };
    }));
  if (signedIn) await check('archive', () => checkArchive(cli, roles));
  if (signedIn)
    await check('stream', async () => {
      const began = performance.now();
      await goOnline(cli, client, MachineState.AWAY);
      return { level: 'ok', detail: `open after ${Math.round(performance.now() - began)} ms` };
    });
  const connection = client.connection.getSnapshot();
  if (connection.phase === 'online') {
    const { serverVersion, upgradeAdvised, clockAheadMs } = connection;
    checks.push(versionCheck(oneLine(serverVersion), upgradeAdvised), clockCheck(clockAheadMs));
  }
  const healthy = checks.every(c => c.level !== 'fail');
  const shown = checks.map(c => ({ ...c, ok: c.level !== 'fail' }));
  print.result({ server, healthy, checks: shown }, () =>
    checks.flatMap(({ name, level, detail, remedy }) => [
      `${mark(cli, level)}  ${name.padEnd(11)}  ${oneLine(detail)}`,
      ...(remedy ? [`${' '.repeat(19)}${remedy}`] : []),
    ]),
  );
  return healthy ? EXIT.ok : EXIT.negative;
}

function mark({ print }: Cli, level: Level): string {
  if (level === 'ok') return print.style('green', 'ok  ');
  if (level === 'warn') return print.style('yellow', 'WARN');
  return level === 'fail' ? print.style('red', 'FAIL') : print.style('dim', '--  ');
}

function versionCheck(serverVersion: string, upgradeAdvised: boolean): Check {
  const detail = `server ${serverVersion}, parleyctl ${VERSION}`;
  if (!upgradeAdvised) return { name: 'version', level: 'ok', detail };
  const remedy = 'The server recommends a newer client: install parleyctl of its version.';
  return { name: 'version', level: 'warn', detail, remedy };
}

function clockCheck(aheadMs: number): Check {
  const off = Math.abs(aheadMs);
  const detail = off <= 1_000 ? 'right' : `this machine is ${lengthOf(off)} ${aheadMs > 0 ? 'ahead' : 'behind'}`;
  if (off <= CLOCK_TOLERANCE_MS) return { name: 'clock', level: 'ok', detail };
  const remedy = 'Let the machine keep its time by NTP (timedatectl set-ntp true), or look at the clock of the server.';
  return { name: 'clock', level: 'fail', detail, remedy };
}
