import { createReadStream, statSync } from 'node:fs';
import { addAbortSignal } from 'node:stream';
import { DEFAULT_LIMITS, isProblem, PeopleFileError, type Problem, readLines } from '@parley/people-file';
import type { Cli } from './cli.ts';
import { UsageError } from './exit-codes.ts';

/** Bytes of a file, or of standard input for `-`. */
export function bytesOf(cli: Cli, path: string): AsyncIterable<Uint8Array> {
  const { stdin, interrupted } = cli.io;
  if (path === '-') return addAbortSignal(interrupted, stdin) as AsyncIterable<Uint8Array>;
  try {
    if (!statSync(path).isFile()) throw Object.assign(new Error(), { code: 'no file' });
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
  return createReadStream(path, { highWaterMark: 262_144, signal: interrupted }) as AsyncIterable<Uint8Array>;
}

/** What is wrong with a file as a whole, as a failure of the command. */
export function fileFailure(path: string, error: unknown): unknown {
  if (!(error instanceof PeopleFileError)) return error;
  const remedy = REMEDIES[error.code];
  return new UsageError(`${path === '-' ? 'standard input' : path}: ${error.message}`, remedy, error.code);
}

const REMEDIES: Readonly<Record<string, string>> = {
  'people_file.encoding_unmarked': 'Name it: --encoding utf-16le or --encoding utf-16be',
  'people_file.header_invalid': 'In another encoding? Name it: --encoding big5, --encoding utf-16le …',
  'people_file.encoding_contradicts': 'Leave --encoding out, or save the file in that encoding.',
  'people_file.encoding_unknown':
    'Names are those of the Encoding Standard: utf-8, utf-16le, big5, gb18030, shift_jis …',
  'people_file.column_missing': 'The first row must name the columns; parleyctl users import --help lists them.',
  'people_file.format_unknown': 'Name it: --format csv or --format ldif',
};

/** A person of a list, or a line of it that names none. */
export type Listed = { readonly line: number; readonly person: string } | Problem;

/** Reads a list: one person a line, by address or id; empty lines and those that begin with `#` are left out. */
export async function* readList(cli: Cli, path: string, encoding?: string): AsyncGenerator<Listed> {
  const options = { limits: DEFAULT_LIMITS, ...(encoding !== undefined && { encoding }) };
  for await (const lines of readLines(bytesOf(cli, path), options)) {
    for (const line of lines) {
      if (isProblem(line)) yield line;
      else {
        const person = line.text.trim();
        if (person === '' || person.startsWith('#')) continue;
        if (/[\s,;]/.test(person) || person.length > 320)
          yield {
            line: line.number,
            field: 'person',
            code: 'cli.list_line',
            reason: 'a line of a list is one address or id',
          };
        else yield { line: line.number, person };
      }
    }
  }
}
