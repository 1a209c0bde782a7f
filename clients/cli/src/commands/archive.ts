import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';
import {
  FindingKind,
  type VerifiedRecord,
  type VerifyFinding,
  type VerifyResult,
} from '@parley/contracts/archive/v1/archive';
import { Command } from 'commander';
import { STATES } from '../archive/query.ts';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { EXIT } from '../exit-codes.ts';
import { counted, oneLine } from '../output/text.ts';
import { isoOf, lengthOf } from '../output/time.ts';
import { summaryOf } from '../output/verification.ts';
import { examples, type Shell } from '../shell.ts';
import { archiveExportCommands } from './archive-export.ts';
import { archiveParkedCommand } from './archive-parked.ts';
import { archiveReadCommands } from './archive-search.ts';

/** `archive status|verify|parked|search|view|export|verify-export|key`. */
export function archiveCommand(shell: Shell): Command {
  const archive = new Command('archive').description('look after the compliance archive');
  archive.addCommand(new Command('status').description('show how far the archive is').action(shell.action(status)));
  archive.addCommand(
    examples(
      new Command('verify')
        .description('check every link, content and checkpoint again; exit code 1 when anything is wrong')
        .option('--records', 'also list every record; with --json: one line each, the result last')
        .option('--settle <seconds>', 'first wait so long for what was just accepted, 0 to 60', parseCount(0, 60), 30)
        .action(shell.action(verify)),
      'archive verify',
      'archive verify --records --json | jq -c .',
    ),
  );
  archive.addCommand(archiveParkedCommand(shell));
  for (const command of [...archiveReadCommands(shell), ...archiveExportCommands(shell)]) archive.addCommand(command);
  return archive;
}

async function status(cli: Cli): Promise<void> {
  const answer = await cli.client().services.archive.getStatus({}, { signal: cli.io.interrupted });
  const now = cli.io.now();
  const partitions = answer.partitions.map(p => ({
    epoch: Number(p.epoch),
    topic: p.topic,
    partition: p.partition,
    firstOffset: Number(p.firstOffset),
    nextOffset: Number(p.nextOffset),
    lag: Number(p.lag),
    checkpointAt: isoOf(p.checkpointMs),
    checkpointCount: Number(p.checkpointCount),
    headHash: p.headHash,
  }));
  const parked = Number(answer.parked);
  const notIndexed = Number(answer.notIndexed);
  const key = answer.signingKeyId;
  const verifiedAt = isoOf(answer.verifiedMs);
  const verified = verifiedAt && { at: verifiedAt, intact: answer.verifiedIntact };
  const exceptions = Number(answer.peopleWithOwnPolicy);
  const value = {
    policy: answer.policySummary,
    exceptions,
    parked,
    notIndexed,
    key,
    ...(verified && { verified }),
    partitions,
  };
  cli.print.result(value, () => [
    oneLine(answer.policySummary),
    ...(exceptions > 0 ? [`With another policy of his own: ${counted(exceptions, 'person', 'people')}.`] : []),
    ...(notIndexed > 0 ? [`Archived and not to be found by words yet: ${counted(notIndexed, 'record')}.`] : []),
    ...(key === '' ? [] : [`Checkpoints and exports are signed by key ${oneLine(key)}.`]),
    ...(answer.verifiedMs === 0n
      ? []
      : [
          `Verified by the server itself ${lengthOf(now - Number(answer.verifiedMs))} ago: ${
            answer.verifiedIntact
              ? 'intact.'
              : cli.print.style('red', 'NOT intact; archive verify and audit verify say what is wrong.')
          }`,
        ]),
    ...(parked > 0
      ? [
          cli.print.style(
            'red',
            `Could not be processed, and somebody must look (archive parked lists them): ${counted(parked, 'record')}.`,
          ),
        ]
      : []),
    '',
    ...cli.print.table(
      ['PARTITION', 'LINKS', 'WAITING', 'LAST CHECKPOINT', 'COVERS', 'HEAD'],
      answer.partitions.map(p => [
        `${p.epoch}/${p.topic}/${p.partition}`,
        String(p.nextOffset - p.firstOffset),
        { text: String(p.lag), paint: text => (p.lag > 0n ? cli.print.style('yellow', text) : text) },
        p.checkpointMs === 0n ? 'none yet' : `${lengthOf(now - Number(p.checkpointMs))} ago`,
        String(p.checkpointCount),
        p.headHash.slice(0, 16),
      ]),
    ),
  ]);
}

const FINDINGS: Readonly<Record<FindingKind, string>> = {
  [FindingKind.UNSPECIFIED]: 'unknown',
  [FindingKind.MISSING_LINK]: 'missing link',
  [FindingKind.BROKEN_HASH]: 'broken hash',
  [FindingKind.ALTERED_CONTENT]: 'altered content',
  [FindingKind.MISSING_CONTENT]: 'missing content',
  [FindingKind.CHECKPOINT_MISMATCH]: 'checkpoint mismatch',
  [FindingKind.BAD_SIGNATURE]: 'bad signature',
  [FindingKind.CHECKPOINT_COPY_DIFFERS]: 'copy of a checkpoint differs',
};

const findingJson = (finding: VerifyFinding) => ({
  kind: (FINDINGS[finding.kind] ?? 'unknown').replaceAll(' ', '-'),
  link: finding.linkId,
  detail: finding.detail,
});
const recordJson = (record: VerifiedRecord) => ({
  id: record.recordId,
  link: record.linkId,
  state: STATES[record.state] ?? 'unknown',
  at: isoOf(record.acceptedMs),
});

async function verify(cli: Cli, options: { records?: boolean; settle: number }): Promise<number> {
  const { print, io } = cli;
  const lines = options.records === true;
  const request = { reportRecords: lines, settleMs: options.settle * 1_000 };
  const findings: VerifyFinding[] = [];
  let result: VerifyResult | undefined;
  print.progress(options.settle > 0 ? 'waiting until what was accepted is archived …' : 'checking …');
  const stream = cli.client().services.archive.verify(request, { signal: io.interrupted, timeoutMs: 0 });
  for await (const { event } of stream) {
    if (event.case === 'progress') print.progress(progressText(event.value.links, event.value.total));
    else if (event.case === 'record' && lines)
      print.event({ type: 'record', ...recordJson(event.value) }, () => recordLine(event.value));
    else if (event.case === 'finding') {
      findings.push(event.value);
      if (lines && print.json) print.event({ type: 'finding', ...findingJson(event.value) }, () => '');
    } else if (event.case === 'result') result = event.value;
  }
  print.progress('');
  if (!result) throw new ParleyClientError('client.network', Code.Unavailable, 'the verification broke off');
  const outcome = result;
  const value = resultJson(outcome);
  if (lines && print.json) print.event({ type: 'result', ...value }, () => '');
  else
    print.result({ ...value, findings: findings.map(findingJson) }, () => [
      ...(lines ? [''] : []),
      ...findings.map(
        f => `${print.style('red', FINDINGS[f.kind] ?? 'unknown')}  ${oneLine(f.linkId)}  ${oneLine(f.detail)}`,
      ),
      ...(findings.length > 0 ? [''] : []),
      ...summaryOf(outcome, print.style),
    ]);
  return outcome.intact ? EXIT.ok : EXIT.negative;
}

function progressText(links: bigint, total: bigint): string {
  const share = total > 0n ? Math.floor(Number((links * 100n) / total)) : 0;
  return `checked ${links} of ${total} links (${share} %)`;
}

function recordLine(record: VerifiedRecord): string {
  const { id, link, state, at } = recordJson(record);
  return `${(state ?? '').padEnd(12)}  ${oneLine(link)}  ${at ?? '-'}  ${oneLine(id)}`;
}

function resultJson(result: VerifyResult) {
  const { links, contents, checkpoints, records, duplicates, notAccepted, parked, beyondCheckpoint } = result;
  const counts = { links, contents, checkpoints, records, duplicates, notAccepted, parked, beyondCheckpoint };
  return {
    intact: result.intact,
    ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, Number(count)])),
  };
}
