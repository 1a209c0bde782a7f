import { hash } from 'node:crypto';
import type { Content, Event } from './event.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/;

export interface TextLimits {
  readonly characters: number;
  readonly bytes: number;
}

export type TextProblem = 'empty' | 'malformed' | 'control_character' | 'too_long' | 'too_large';

/** What is wrong with a text; undefined when nothing is. Characters are Unicode code points. */
export function textProblem(text: string, limits: TextLimits): TextProblem | undefined {
  if (text.length === 0) return 'empty';
  if (text.length > limits.characters * 2) return 'too_long';
  if (!text.isWellFormed()) return 'malformed';
  if (text.length > limits.characters && codePoints(text) > limits.characters) return 'too_long';
  if (text.length * 3 > limits.bytes && Buffer.byteLength(text) > limits.bytes) return 'too_large';
  if (CONTROL.test(text)) return 'control_character';
  return undefined;
}

function codePoints(text: string): number {
  let low = 0;
  for (let i = 0; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00) low++;
  }
  return text.length - low;
}

/**
 * SHA-256 over what the author controls, so that a repetition is told from a reuse of the id. Canonical form: a version
 * line, then kind, recipients and content as netstrings (length in bytes, colon, value).
 */
export function contentHash(kind: number, recipientIds: readonly string[], content: Content): Uint8Array {
  let text = `parley.im.content.1\n${kind}\n`;
  for (const id of recipientIds) text += netstring(id);
  text += `\n${content.format}\n${content.importance}\n${netstring(content.text)}`;
  return hash('sha256', text, 'buffer');
}

/** The content hash of an event that is there already. */
export const hashOf = (event: Event): Uint8Array => contentHash(event.kind, event.recipientIds, event.content);

const netstring = (text: string) => `${Buffer.byteLength(text)}:${text}`;
