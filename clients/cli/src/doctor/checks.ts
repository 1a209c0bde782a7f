import { ParleyClientError, toClientError } from '@parley/client';
import { Role } from '@parley/contracts';
import type { GetStatusResponse } from '@parley/contracts/archive/v1/archive';
import type { Cli } from '../cli.ts';
import { counted } from '../output/text.ts';
import { lengthOf } from '../output/time.ts';
import { obstacleTo } from './reach.ts';
import { tlsProbe } from './tls.ts';

/** How a check ended: `skip` when it could not be made by this person. */
export type Level = 'ok' | 'warn' | 'fail' | 'skip';

/** What a check found, and what to do about it. */
export interface Finding {
  readonly level: Level;
  readonly detail: string;
  readonly remedy?: string;
}

const ok = (detail: string): Finding => ({ level: 'ok', detail });

const DAY_MS = 86_400_000;
/** A certificate is renewed a month before its end; later, somebody should look. */
const CERTIFICATE_SOON_MS = 21 * DAY_MS;
/** Records that wait in a busy moment; more is a queue. */
const LAG_TOLERANCE = 1_000n;
const NOT_INDEXED_TOLERANCE = 10_000n;

/** An empty message in one frame of gRPC-Web: asks for the key set, which everybody may. */
const KEY_SET = '/parley.directory.v1.AuthService/GetKeySet';

/** Whether a Parley answers at the address. */
export async function checkServer(cli: Cli, server: string): Promise<Finding> {
  const { io, options } = cli;
  const began = performance.now();
  const call = (path: string, init: RequestInit) =>
    (io.fetch ?? fetch)(`${server}${path}`, {
      ...init,
      signal: AbortSignal.any([io.interrupted, AbortSignal.timeout(options.timeout)]),
    });
  let response: Response;
  try {
    const headers = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' };
    response = await call(KEY_SET, { method: 'POST', headers, body: new Uint8Array(5) });
    await response.arrayBuffer();
  } catch {
    io.interrupted.throwIfAborted();
    return { level: 'fail', ...(await obstacleTo(server, options.timeout)) };
  }
  const type = response.headers.get('content-type') ?? '';
  if (response.ok && type.startsWith('application/grpc-web'))
    return ok(`${server} answers after ${Math.round(performance.now() - began)} ms`);
  if ([502, 503, 504].includes(response.status))
    return {
      level: 'fail',
      detail: `a proxy at ${server} answers, but not the server behind it (HTTP ${response.status})`,
      remedy: 'Is Parley running and ready behind it? Look at /readyz on its admin port, 7399.',
    };
  const admin = await call('/livez', {}).then(
    answer => answer.ok,
    () => false,
  );
  if (admin)
    return {
      level: 'fail',
      detail: `${server} is a port for operators`,
      remedy: 'Use the port that serves the web client, 7380 where nothing else is configured.',
    };
  return {
    level: 'fail',
    detail: `something else than Parley answers at ${server} (HTTP ${response.status})`,
    remedy: 'Check address and port: 7380 where nothing else is configured. A proxy must pass /parley.* on to Parley.',
  };
}

/** How long the certificate lasts; undefined where there is none. */
export async function checkCertificate(cli: Cli, server: string): Promise<Finding | undefined> {
  const url = new URL(server);
  if (url.protocol !== 'https:' || cli.io.fetch) return undefined;
  const probe = await tlsProbe(url.hostname.replace(/^\[|\]$/g, ''), Number(url.port || 443), cli.options.timeout);
  if (probe.kind === 'none') return { level: 'skip', detail: `cannot be looked at (${probe.reason})` };
  const left = probe.validTo.getTime() - cli.io.now();
  const detail = `of ${probe.authority}, until ${probe.validTo.toISOString().slice(0, 10)}`;
  if (left > CERTIFICATE_SOON_MS) return ok(detail);
  return {
    level: left > 0 ? 'warn' : 'fail',
    detail: `${detail}: ${left > 0 ? `${lengthOf(left)} left` : 'it is over'}`,
    remedy: 'Renew it on the server: Parley takes up new files by itself. Nobody can sign in once it is over.',
  };
}

/** Who is archived, and whether the archive keeps up; for those who may know. */
export async function checkArchive(cli: Cli, roles: readonly Role[]): Promise<Finding> {
  const allowed: readonly Role[] = [Role.ADMINISTRATOR, Role.COMPLIANCE_OFFICER, Role.VIEWER];
  if (!roles.some(role => allowed.includes(role)))
    return { level: 'skip', detail: 'not looked at: for administrators, compliance officers and viewers' };
  let status: GetStatusResponse;
  try {
    status = await cli.client().services.archive.getStatus({}, { signal: cli.io.interrupted });
  } catch (error) {
    const failure = toClientError(error, cli.io.interrupted);
    if (!(failure instanceof ParleyClientError)) throw failure;
    return {
      level: 'fail',
      detail: `its state is not known: ${failure.message} (${failure.code})`,
      remedy: 'Look at the log of the archiving service. In critical mode, messages are refused until it works.',
    };
  }
  const own = status.peopleWithOwnPolicy;
  const who = `${status.policySummary}${own > 0n ? ` ${own} people have a policy of their own.` : ''}`;
  const lag = status.partitions.reduce((sum, partition) => sum + partition.lag, 0n);
  if (status.parked > 0n)
    return {
      level: 'fail',
      detail: `${who} ${status.parked} records could not be read and are parked`,
      remedy: 'They are kept as bytes: parleyctl archive status shows where; tell the compliance officer.',
    };
  if (lag > LAG_TOLERANCE)
    return {
      level: 'warn',
      detail: `${who} ${lag} records wait to be archived`,
      remedy: 'It should catch up within minutes: parleyctl archive status. Otherwise look at the archiving service.',
    };
  if (status.notIndexed > NOT_INDEXED_TOLERANCE)
    return {
      level: 'warn',
      detail: `${who} ${counted(status.notIndexed, 'record')} cannot be found by words yet`,
      remedy: 'Nothing is lost; searches say so too until the index has caught up.',
    };
  return ok(`${who} ${lag === 0n ? 'Nothing waits.' : `${lag} records wait.`}`);
}
