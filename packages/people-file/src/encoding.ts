import { PeopleFileError } from './errors.ts';

/** How the bytes of a file become text. */
export interface FileEncoding {
  /** As TextDecoder calls it, for example `utf-8`, `big5`. */
  readonly name: string;
  /** Bytes of the mark at the beginning. */
  readonly markBytes: number;
}

const MARKS: readonly (readonly [name: string, bytes: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

/**
 * Finds the encoding from the first four bytes and what was asked for. A mark decides; without one it is what was asked
 * for, or UTF-8. Throws `PeopleFileError` where both contradict each other, and for UTF-16 that is not marked.
 */
export function encodingOf(head: Uint8Array, asked?: string): FileEncoding {
  const mark = MARKS.find(([, bytes]) => bytes.every((byte, i) => head[i] === byte));
  const wanted = asked === undefined ? undefined : nameOf(asked);
  if (mark) {
    const [name, bytes] = mark;
    const either = /^(utf-?16|unicode|ucs-?2)$/i.test(asked?.trim() ?? '') && name.startsWith('utf-16');
    if (wanted !== undefined && wanted !== name && !either)
      throw new PeopleFileError('people_file.encoding_contradicts', { mark: name, encoding: asked ?? '' });
    return { name, markBytes: bytes.length };
  }
  if (wanted !== undefined) return { name: wanted, markBytes: 0 };
  const [a, b] = head;
  if (head.length >= 2 && (a === 0) !== (b === 0))
    throw new PeopleFileError('people_file.encoding_unmarked', { encoding: a === 0 ? 'utf-16be' : 'utf-16le' });
  return { name: 'utf-8', markBytes: 0 };
}

function nameOf(label: string): string {
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw new PeopleFileError('people_file.encoding_unknown', { encoding: label });
  }
}

/** Text of a line, or why there is none. */
export type Decoded = { readonly text: string } | { readonly lost: 'invalid' | 'replacement' };

/**
 * Makes a decoder of whole lines that never replaces anything silently. Decoders of old encodings hand out private-use
 * characters and C1 controls for bytes that mean nothing; these count as invalid. U+FFFD in Unicode text shows that a
 * program lost a character before.
 */
export function createLineDecoder(encoding: string): (bytes: Uint8Array) => Decoded {
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  const unicode = encoding.startsWith('utf-');
  return bytes => {
    let text: string;
    try {
      text = decoder.decode(bytes);
    } catch {
      return { lost: 'invalid' };
    }
    if (unicode) return text.includes('\ufffd') ? { lost: 'replacement' } : { text };
    return UNMAPPED.test(text) ? { lost: 'invalid' } : { text };
  };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNMAPPED = /[\u001a\u0080-\u009f\ue000-\uf8ff\ufffd]/;
