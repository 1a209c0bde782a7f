import type { VerifyResult } from '@parley/contracts/archive/v1/archive';
import type { Printer } from './printer.ts';
import { counted } from './text.ts';

/** What a verification found, so that every link is accounted for. */
export function summaryOf(result: VerifyResult, style: Printer['style']): string[] {
  const rows: readonly (readonly [string, bigint, string])[] = [
    ['links', result.links, 'entries of the log, in an unbroken chain'],
    ['records', result.records, 'kept with their content, each counted once'],
    ['duplicates', result.duplicates, 'repetitions of a record that is kept'],
    ['not accepted', result.notAccepted, 'logged, but not accepted by the product'],
    ['parked', result.parked, 'could not be read; kept as bytes'],
    ['contents', result.contents, 'compared with their links'],
    ['checkpoints', result.checkpoints, 'signatures and copies compared'],
    ['beyond', result.beyondCheckpoint, 'links after the last checkpoint, proven by the chain alone'],
  ];
  const width = Math.max(...rows.map(([, count]) => String(count).length));
  const accounted = result.records + result.duplicates + result.notAccepted + result.parked;
  const rest = result.links - accounted;
  const verdict = result.intact
    ? style('green', 'The archive is intact.')
    : style(['red', 'bold'], `The archive is NOT intact: ${counted(result.findings, 'finding')}.`);
  return [
    verdict,
    ...rows.map(([name, count, text]) => `  ${name.padEnd(12)}  ${String(count).padStart(width)}  ${text}`),
    rest === 0n
      ? `Every link is accounted for: ${sum(result)} = ${result.links}.`
      : `${rest} of ${result.links} links are none of these: see the findings, or list them with --records.`,
  ];
}

function sum({ records, duplicates, notAccepted, parked }: VerifyResult): string {
  return [`${records} records`, `${duplicates} duplicates`, `${notAccepted} not accepted`, `${parked} parked`].join(
    ' + ',
  );
}
