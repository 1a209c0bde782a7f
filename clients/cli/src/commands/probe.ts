import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import {
  type ImEvent,
  MachineState,
  memoryCursorStore,
  type ParleyClient,
  type ParleyClientOptions,
  PreferredAvailability,
  toClientError,
} from '@parley/client';
import { RecordState } from '@parley/contracts/archive/v1/archive';
import { EffectiveArchivingPolicySchema } from '@parley/contracts/directory/v1/policy';
import { Command, Option } from 'commander';
import { decisionOf } from '../archive/decision.ts';
import { STATES } from '../archive/query.ts';
import type { Cli } from '../cli.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { failureOf } from '../output/failure.ts';
import { oneLine } from '../output/text.ts';
import { lengthOf } from '../output/time.ts';
import { openProfile } from '../profile.ts';
import { unless } from '../refused.ts';
import { examples, type Shell } from '../shell.ts';
import { goOnline } from '../stream.ts';

/** `probe`. */
export function probeCommand(shell: Shell): Command {
  return examples(
    new Command('probe')
      .description(
        'do what people do, as two accounts made for it: connect, change presence, send, receive, find it in the history and, with --archive, in the archive; exit code 1 when a step fails. Everything is in one trace, whose id is printed',
      )
      .requiredOption('--peer <profile>', 'profile of the second account; the first is that of --profile')
      .option('--archive <profile>', 'also find the message in the archive, with an account that has the role viewer')
      .addOption(
        new Option('--prometheus <file>', 'write the outcome as metrics, for a textfile collector; - prints them'),
      )
      .action(shell.action(probe)),
    'probe --profile probe-a --peer probe-b',
    'probe --profile probe-a --peer probe-b --archive probe-viewer --prometheus /var/lib/node_exporter/parley.prom',
  );
}

interface Step {
  readonly name: string;
  readonly ok: boolean;
  readonly ms: number;
  readonly detail: string;
  readonly remedy?: string;
}

/** One side of the talk. */
interface Side {
  readonly id: string;
  readonly client: ParleyClient;
}

async function probe(cli: Cli, options: { peer: string; archive?: string; prometheus?: string }): Promise<number> {
  if (options.peer === cli.profile.name)
    throw new UsageError('--peer is the profile of --profile', 'Give each of the two accounts a profile of its own.');
  const steps: Step[] = [];
  const traceId = hex(16);
  const trace = { traceparent: () => `00-${traceId}-${hex(8)}-01` };
  /** Runs a step and takes its time; those after one that failed are not run. */
  async function step<T>(name: string, work: () => Promise<readonly [T, string]>): Promise<T | undefined> {
    if (steps.some(s => !s.ok)) return undefined;
    const began = performance.now();
    const took = () => performance.now() - began;
    try {
      const [value, detail] = await work();
      steps.push({ name, ok: true, ms: took(), detail });
      return value;
    } catch (error) {
      if (cli.io.interrupted.aborted) throw error;
      const { message, code, remedy } = failureOf(toClientError(error, cli.io.interrupted));
      steps.push({ name, ok: false, ms: took(), detail: `${message} (${code})`, ...(remedy && { remedy }) });
      return undefined;
    }
  }

  const said = await talk(cli, options.peer, step, trace);
  const { archive } = options;
  if (said && archive !== undefined) await step('archive', () => findInArchive(cli, archive, said, trace));
  const healthy = steps.every(s => s.ok);
  const metrics = metricsOf(steps, healthy, cli.io.now());
  if (options.prometheus === '-') {
    cli.io.stdout.write(metrics);
    return healthy ? EXIT.ok : EXIT.negative;
  }
  if (options.prometheus !== undefined) writeFileSync(options.prometheus, metrics);
  cli.print.result({ server: cli.server(), healthy, traceId, steps }, () => [
    ...steps.flatMap(({ name, ok, ms, detail, remedy }) => [
      `${ok ? cli.print.style('green', 'ok  ') : cli.print.style('red', 'FAIL')}  ${name.padEnd(8)}  ${lengthOf(ms).padStart(8)}  ${oneLine(detail)}`,
      ...(remedy ? [`                ${remedy}`] : []),
    ]),
    `trace ${traceId}`,
  ]);
  return healthy ? EXIT.ok : EXIT.negative;
}

const hex = (bytes: number) => randomBytes(bytes).toString('hex');

/** The trace that every call of a probe is in. */
type Trace = Pick<ParleyClientOptions, 'traceparent'>;

type RunStep = <T>(name: string, work: () => Promise<readonly [T, string]>) => Promise<T | undefined>;

async function talk(cli: Cli, peerName: string, step: RunStep, trace: Trace): Promise<Said | undefined> {
  const { signal } = withDeadline(cli);
  const sides = await step('sign-in', async () => {
    const me = await sideOf(cli, cli.profile.name, trace);
    const peer = await sideOf(cli, peerName, trace);
    return [{ me, peer }, 'both accounts'] as const;
  });
  if (!sides) return undefined;
  const { me, peer } = sides;
  const arrived: ImEvent[] = [];
  peer.client.onEvent(event => void arrived.push(event));

  await step('stream', async () => {
    await peer.client.watch([me.id]);
    await Promise.all([me, peer].map(side => goOnline(cli, side.client, MachineState.ACTIVE)));
    return [undefined, 'open for both'] as const;
  });
  await step('presence', async () => {
    const seen = peer.client.presence.of(me.id);
    const { presence: before } = await me.client.services.presence.getMyPresence({}, { signal });
    // whichever state is not chosen already is a change
    const { BUSY, DO_NOT_DISTURB, UNSPECIFIED } = PreferredAvailability;
    const { view } = await me.client.setPresence(before?.preferred === BUSY ? DO_NOT_DISTURB : BUSY);
    const shown = () => seen.getSnapshot().revision >= (view?.revision ?? 0n);
    await until(signal, 'the other account did not see the change', notify => seen.subscribe(notify), shown);
    await me.client.setPresence(before?.preferred === UNSPECIFIED ? undefined : before?.preferred);
    return [undefined, 'a change was seen'] as const;
  });
  const text = `probe ${crypto.randomUUID()}`;
  const sent = await step('send', async () => {
    const result = await me.client.send(peer.id, text, { signal }).acknowledged;
    return [result, 'acknowledged'] as const;
  });
  await step('receive', async () => {
    const there = () => arrived.some(event => event.id === sent?.eventId && event.content?.text === text);
    await until(signal, 'the message did not arrive', notify => peer.client.onEvent(notify), there);
    return [undefined, 'arrived at the other account'] as const;
  });
  await step('history', async () => {
    const page = await peer.client.services.im.getHistory({ withPersonId: me.id, limit: 50 }, { signal });
    const times = page.events.filter(event => event.id === sent?.eventId).length;
    if (times !== 1) throw new Error(`the history has the message ${times} times`);
    return [undefined, 'there, once'] as const;
  });
  return sent && { eventId: sent.eventId, people: [me.id, peer.id] };
}

/** A message and its two people, the sender first. */
interface Said {
  readonly eventId: string;
  readonly people: readonly [string, string];
}

/** Between two looks into the archive, milliseconds. */
const LOOK_MS = 250;

async function findInArchive(cli: Cli, profileName: string, { eventId, people }: Said, trace: Trace) {
  const { signal } = withDeadline(cli);
  const { archive, policies } = clientOf(cli, profileName, trace).services;
  const governed = people.map(async person => {
    const { effective } = await policies.getEffectiveArchivingPolicy({ person }, { signal });
    return { effective: effective ?? create(EffectiveArchivingPolicySchema), id: person, displayName: '', site: '' };
  });
  if (!decisionOf(await Promise.all(governed)).archived) return [undefined, 'policy does not archive it'] as const;
  for (;;) {
    const located = await unless('archive.record_not_found', archive.locateRecord({ recordId: eventId }, { signal }));
    if (located?.state === RecordState.ARCHIVED) return [undefined, `archived at ${located.linkId}`] as const;
    if (located) throw new Error(`the archive has the message as ${STATES[located.state] ?? 'unknown'}`);
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) throw new Error('the message was not archived in time');
  }
}

/** A client of a profile, as a device of its own that forgets everything afterwards. */
async function sideOf(cli: Cli, profileName: string, trace: Trace): Promise<Side> {
  const client = clientOf(cli, profileName, trace);
  const { person } = await client.services.directory.getMe({}, { signal: cli.io.interrupted });
  return { id: person?.id ?? '', client };
}

function clientOf(cli: Cli, profileName: string, trace: Trace): ParleyClient {
  const profile = openProfile(profileName, cli.io.env);
  const server = profile.server();
  if (server !== undefined && server !== cli.server())
    throw new UsageError(`profile "${profileName}" belongs to ${server}, not to ${cli.server()}`);
  return cli.newClient({
    tokens: profile.tokens,
    endpointId: profile.endpointId(),
    cursors: memoryCursorStore(),
    ...trace,
    environment: { exclusive: profile.exclusive },
  });
}

const withDeadline = (cli: Cli) => ({
  signal: AbortSignal.any([cli.io.interrupted, AbortSignal.timeout(cli.options.timeout * 3)]),
});

/** Resolves when `there` holds, asked at every notice; rejects with `problem` when the time is up. */
function until(
  signal: AbortSignal,
  problem: string,
  subscribe: (notify: () => void) => () => void,
  there: () => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error) => {
      off();
      signal.removeEventListener('abort', leave);
      if (error) reject(error);
      else resolve();
    };
    const look = () => there() && end();
    const leave = () => end(new Error(`${problem} in time`));
    const off = subscribe(() => queueMicrotask(look));
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    else look();
  });
}

/** What `--prometheus` writes; all are gauges. */
export const PROBE_METRICS = [
  { name: 'parley_probe_success', labels: [], help: 'Whether every step of the last probe succeeded.' },
  {
    name: 'parley_probe_timestamp_seconds',
    labels: [],
    help: 'When the last probe ended, seconds since 1970-01-01 UTC.',
  },
  { name: 'parley_probe_step_success', labels: ['step'], help: 'Whether a step of the last probe succeeded.' },
  { name: 'parley_probe_step_seconds', labels: ['step'], help: 'Time a step of the last probe took, seconds.' },
] as const;

/** Prometheus text (exposition format 0.0.4). */
function metricsOf(steps: readonly Step[], healthy: boolean, nowMs: number): string {
  const samples: Readonly<Record<(typeof PROBE_METRICS)[number]['name'], readonly string[]>> = {
    parley_probe_success: [` ${healthy ? 1 : 0}`],
    parley_probe_timestamp_seconds: [` ${Math.round(nowMs / 1000)}`],
    parley_probe_step_success: steps.map(s => `{step="${s.name}"} ${s.ok ? 1 : 0}`),
    parley_probe_step_seconds: steps.map(s => `{step="${s.name}"} ${(s.ms / 1000).toFixed(6)}`),
  };
  const lines = PROBE_METRICS.flatMap(({ name, help }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...samples[name].map(sample => `${name}${sample}`),
  ]);
  return `${lines.join('\n')}\n`;
}
