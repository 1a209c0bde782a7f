/** Longest message in characters (Unicode code points), as the contract says. */
export const MOST_CHARACTERS = 8_000;
/** Longest note in characters. */
export const MOST_NOTE_CHARACTERS = 500;

/** Characters as the server counts them: code points, not UTF-16 units. */
export function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** A message as it can be sent: line feeds alone, no other control characters than tab, no blank ends. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
export function sendable(text: string): string {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .toWellFormed()
    .replace(/^\s*\n|\s+$/g, '');
}
