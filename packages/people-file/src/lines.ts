import { createLineDecoder, encodingOf } from './encoding.ts';
import { PeopleFileError } from './errors.ts';
import type { PeopleFileLimits } from './limits.ts';
import { type Problem, problem } from './row.ts';

/** A line of text, without its end, or why it cannot be had. */
export type TextLine = { readonly number: number; readonly text: string } | Problem;

/** Chunks of a file, as `fs.createReadStream` and standard input give them. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How a file is to be read. */
export interface ReadOptions {
  /** Label of the encoding, as the Encoding Standard knows it; default: the file's mark, else UTF-8. */
  readonly encoding?: string;
  readonly limits: PeopleFileLimits;
}

const LF = 10;
const CR = 13;

/**
 * Reads a file line by line; CR LF, LF and CR end lines. Lines come as many at once as a chunk holds; no more than one
 * line is kept between chunks. Throws `PeopleFileError` alone.
 */
export async function* readLines(source: ByteSource, { encoding, limits }: ReadOptions): AsyncGenerator<TextLine[]> {
  let head = new Uint8Array(0);
  let reader: ReturnType<typeof createLineReader> | undefined;
  let size = 0;
  const begin = () => {
    const found = encodingOf(head, encoding);
    reader = createLineReader(found.name, limits.lineBytes);
    return reader.push(head.subarray(found.markBytes));
  };
  for await (const chunk of guarded(source)) {
    size += chunk.length;
    if (size > limits.fileBytes) throw new PeopleFileError('people_file.file_too_large', { limit: limits.fileBytes });
    if (reader) yield reader.push(chunk);
    else {
      head = joined([head, chunk]);
      if (head.length >= 4) yield begin();
    }
  }
  if (!reader) yield begin();
  yield reader?.end() ?? [];
}

async function* guarded(source: ByteSource): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException | undefined)?.code ?? (error instanceof Error ? error.message : '');
    throw new PeopleFileError('people_file.unreadable', { reason: reason || 'unknown error' }, 0, error);
  }
}

function createLineReader(encoding: string, lineBytes: number) {
  const decode = createLineDecoder(encoding);
  const unit = encoding.startsWith('utf-16') ? 2 : 1;
  const low = encoding === 'utf-16be' ? 1 : 0;
  let number = 0;
  let kept: Uint8Array[] = [];
  let length = 0;
  let afterCr = false;
  let half: Uint8Array = new Uint8Array(0);

  const keep = (bytes: Uint8Array) => {
    length += bytes.length;
    if (length <= lineBytes && bytes.length > 0) kept.push(bytes.slice()); // chunks may be used again by their maker
  };
  function line(rest: Uint8Array): TextLine {
    number++;
    const total = length + rest.length;
    const parts = kept;
    kept = [];
    length = 0;
    if (total > lineBytes) return problem(number, 'row', 'people_file.line_too_long', { limit: lineBytes });
    const decoded = decode(parts.length === 0 ? rest : joined([...parts, rest]));
    if ('text' in decoded) return { number, text: decoded.text };
    return decoded.lost === 'invalid'
      ? problem(number, 'row', 'people_file.encoding_invalid', { encoding })
      : problem(number, 'row', 'people_file.character_lost');
  }
  return {
    push(chunk: Uint8Array): TextLine[] {
      const lines: TextLine[] = [];
      const bytes = half.length === 0 ? chunk : joined([half, chunk]);
      const end = bytes.length - (bytes.length % unit);
      let start = 0;
      for (let i = 0; i < end; i += unit) {
        const value = bytes[i + low] as number;
        const ends = (value === LF || value === CR) && (unit === 1 || bytes[i + 1 - low] === 0);
        if (ends && !(value === LF && afterCr)) lines.push(line(bytes.subarray(start, i)));
        if (ends) start = i + unit;
        afterCr = ends && value === CR;
      }
      keep(bytes.subarray(start, end));
      half = bytes.slice(end);
      return lines;
    },
    end(): TextLine[] {
      keep(half);
      half = new Uint8Array(0);
      return length > 0 ? [line(new Uint8Array(0))] : [];
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
