import stringWidth from 'string-width';

// C0 but tab and line feed, DEL, C1, and the marks that turn the direction of everything after them
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Makes text that somebody else wrote safe for a terminal: control characters are shown, not carried out, so that no
 * message can move the cursor, change the title or look like another line.
 */
export function sanitise(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(UNSAFE, character => {
      const code = character.codePointAt(0) as number;
      if (code < 0x20) return String.fromCodePoint(0x2400 + code);
      return code === 0x7f ? '\u2421' : '\ufffd';
    });
}

/** As `sanitise`, on one line. */
export const oneLine = (text: string): string => sanitise(text).replace(/[\n\t]+/g, ' ');

/** JSON whose control characters are escaped, those too that JSON allows. */
export function safeJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    character => `\\u${(character.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );
}

/** A number with its noun: `1 record`, `2 records`. */
export const counted = (count: number | bigint, one: string, many = `${one}s`): string =>
  `${count} ${Number(count) === 1 ? one : many}`;

/** Columns that text takes on a terminal: wide characters and emoji take two. */
export const widthOf = (text: string): number => stringWidth(text);

/** Fills up with spaces to `width` columns. */
export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Cuts text to `width` columns, at a character as people see it, with `…` where something is left out. */
export function truncate(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  for (const { segment } of segmenter.segment(text)) {
    if (widthOf(kept + segment) > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
