import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Code } from '@connectrpc/connect';
import { ParleyClientError } from '@parley/client';
import { ExportFormat, type ExportResult } from '@parley/contracts/archive/v1/archive';
import { Command, Option } from 'commander';
import { ExportDirectory } from '../archive/export-directory.ts';
import { signerOf } from '../archive/manifest.ts';
import {
  type PurposeOptions,
  purposeOf,
  type QueryOptions,
  queryOf,
  withPurpose,
  withQuery,
} from '../archive/query.ts';
import { type ExportVerdict, verifyExport } from '../archive/verify-export.ts';
import type { Cli } from '../cli.ts';
import { EXIT, UsageError } from '../exit-codes.ts';
import { counted, oneLine } from '../output/text.ts';
import { examples, type Shell } from '../shell.ts';

/** `archive export`, `archive verify-export` and `archive key`. */
export function archiveExportCommands(shell: Shell): readonly Command[] {
  return [
    examples(
      withQuery(withPurpose(new Command('export').description('write everything a query finds into a directory')))
        .argument('<directory>', 'new or empty; it appears when the export is complete')
        .addOption(
          new Option('--format <format>', 'eml: a message for each conversation and day (UTC); jsonl: a record a line')
            .choices(['eml', 'jsonl'])
            .default('eml'),
        )
        .action(shell.action(exportRecords)),
      'archive export --case HR-2026-014 --reason "complaint of 2 January" --person tom.okafor@hospital.example --from 2026-01-01 export-1',
      'archive export --case HR-2026-014 --reason "complaint of 2 January" --format jsonl --words 預算 export-2',
    ),
    examples(
      new Command('verify-export')
        .description(
          'check an export by itself, without a server: signature, files, counts; exit code 1 when anything is wrong',
        )
        .argument('<directory>', 'the export')
        .option('--key <file>', 'public key that must have signed it (PEM): `archive key` or keys/checkpoint.pub')
        .option('--key-id <id>', 'id of the key that must have signed it, as `archive status` shows it')
        .action(shell.action(checkExport)),
      'archive verify-export export-1 --key checkpoint.pub',
    ),
    examples(
      new Command('key')
        .description('print the public key that exports are signed with (PEM)')
        .action(shell.action(publicKey)),
      'archive key > checkpoint.pub',
    ),
  ];
}

const NOT_WHOLE =
  'Some of what was accepted shortly before could not be archived in time and is not in it; see archive status.';

const FORMATS = { eml: ExportFormat.EML, jsonl: ExportFormat.JSONL } as const;

async function exportRecords(
  cli: Cli,
  options: PurposeOptions & QueryOptions & { format: keyof typeof FORMATS },
  dir: string,
): Promise<void> {
  const { print, io } = cli;
  const out = await ExportDirectory.create(dir);
  try {
    const request = { purpose: purposeOf(options), query: queryOf(options), format: FORMATS[options.format] };
    print.progress('waiting until what was accepted is archived …');
    const stream = cli.client().services.discovery.export(request, { signal: io.interrupted, timeoutMs: 0 });
    let result: ExportResult | undefined;
    for await (const { event } of stream) {
      if (event.case === 'file') await out.begin(event.value.path);
      else if (event.case === 'data') await out.write(event.value);
      else if (event.case === 'progress') print.progress(`${event.value.records} records …`);
      else if (event.case === 'result') result = event.value;
    }
    if (!result) throw new ParleyClientError('client.network', Code.Unavailable, 'the export broke off');
    const { keyId, whole } = await out.finish(result.manifestHash);
    const [records, files] = [Number(result.records), Number(result.files)];
    const value = {
      directory: dir,
      records,
      files,
      whole,
      manifestHash: result.manifestHash,
      keyId,
      audit: result.auditId,
    };
    print.result(value, () => [
      `${counted(records, 'record')} in ${counted(files, 'file')} in ${oneLine(dir)}, complete and as the manifest says.`,
      `Signed by key ${keyId}; audit entry ${result.auditId}.`,
      `Check it at any time and anywhere: parleyctl archive verify-export ${oneLine(dir)} --key-id ${keyId}`,
    ]);
    if (!whole) print.note(NOT_WHOLE);
  } catch (error) {
    await out.abandon();
    throw error;
  }
}

async function checkExport(cli: Cli, options: { key?: string; keyId?: string }, dir: string): Promise<number> {
  const { print, io } = cli;
  const expectedKeyId = options.key === undefined ? options.keyId : keyIdOf(options.key);
  if (options.key !== undefined && options.keyId !== undefined && options.keyId !== expectedKeyId)
    throw new UsageError('--key and --key-id name different keys');
  const onProgress = (done: number, total: number) => print.progress(`checked ${done} of ${total} files`);
  const verdict = await verifyExport(dir, { expectedKeyId, signal: io.interrupted, onProgress }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new UsageError(`there is no directory ${dir}`);
      throw error;
    },
  );
  const { intact, problems, manifest, keyId, trusted } = verdict;
  const value = {
    intact,
    problems,
    keyId: keyId ?? null,
    trusted: trusted ?? null,
    ...(manifest && {
      records: manifest.records,
      whole: manifest.whole,
      files: manifest.files.length,
      created: manifest.created,
      by: manifest.by,
      case: manifest.case_id,
      reason: manifest.reason,
      format: manifest.format,
      query: manifest.query,
    }),
  };
  print.result(value, () => verdictLines(cli, verdict));
  return intact ? EXIT.ok : EXIT.negative;
}

function verdictLines({ print }: Cli, { intact, problems, manifest, keyId, trusted }: ExportVerdict): string[] {
  const who = manifest && (manifest.by.display_name || manifest.by.address || manifest.by.id);
  const about = manifest && [
    `${counted(manifest.records, 'record')} in ${counted(manifest.files.length, 'file')} (${oneLine(manifest.format)}), made ${oneLine(manifest.created)} by ${oneLine(who ?? '')}`,
    `for case ${oneLine(manifest.case_id)}: ${oneLine(manifest.reason)}`,
  ];
  const key =
    keyId === undefined
      ? 'The signature is not good: nothing here is proven.'
      : trusted === undefined
        ? `Signed by key ${keyId}. Whose key that is, only a comparison shows: --key FILE or --key-id ID.`
        : `Signed by key ${keyId}, ${trusted ? 'the one that was expected' : 'NOT the one that was expected'}.`;
  return [
    intact
      ? print.style('green', 'The export is as it was made.')
      : print.style(['red', 'bold'], `The export is NOT as it was made: ${counted(problems.length, 'finding')}.`),
    ...problems.map(problem => `  ${oneLine(problem)}`),
    ...(about ?? []),
    ...(manifest?.whole === false ? [NOT_WHOLE] : []),
    trusted === true ? key : print.style('yellow', key),
  ];
}

function keyIdOf(file: string): string {
  try {
    const signer = signerOf(createPublicKey(readFileSync(file)));
    if (signer) return signer.keyId;
  } catch {
    // said below
  }
  throw new UsageError(
    `${file} is no public Ed25519 key`,
    'Take the one of parleyctl archive key, or keys/checkpoint.pub of the server.',
  );
}

async function publicKey(cli: Cli): Promise<void> {
  const status = await cli.client().services.archive.getStatus({}, { signal: cli.io.interrupted });
  const { signingKeyId: keyId, signingPublicKey: key } = status;
  cli.print.result({ keyId, publicKey: key }, () => [key.trimEnd()]);
}
