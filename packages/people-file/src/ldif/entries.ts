import type { PeopleFileLimits } from '../limits.ts';
import type { TextLine } from '../lines.ts';
import { isProblem, type Problem, problem } from '../row.ts';

/** A value as it stands in the file. */
export interface LdifValue {
  readonly line: number;
  /** Plain text, base64, or the URL of a file that holds it. */
  readonly form: 'text' | 'base64' | 'url';
  readonly raw: string;
}

/** An entry: its name and the attributes that were wanted, by lower-case name with options. */
export interface LdifEntry {
  readonly line: number;
  readonly dn: LdifValue;
  readonly attributes: ReadonlyMap<string, readonly LdifValue[]>;
}

interface Logical {
  readonly number: number;
  text: string;
  /** Of an attribute that nobody wants, or longer than it may be: not kept. */
  dropped: boolean;
  tooLong: boolean;
}

/** Name with options, then `:`, `::` or `:<`, then the value after any spaces (RFC 2849). */
const ATTRIBUTE = /^([A-Za-z0-9][A-Za-z0-9.;-]*):([:<]?) *(.*)$/s;

/**
 * Makes entries of lines: unfolds, leaves comments out, keeps only attributes that `wanted` names. A malformed entry is
 * one problem; reading goes on after the next empty line.
 */
export function createLdifEntries(wanted: (attribute: string) => boolean, limits: PeopleFileLimits) {
  let logical: Logical | undefined;
  let entry: { line: number; dn: LdifValue; attributes: Map<string, LdifValue[]> } | undefined;
  /** What is wrong with the entry under way. */
  let wrong: Problem | undefined;
  let inside = false;
  let seen = 0;

  const refuse = (found: Problem) => {
    inside = true;
    wrong ??= found;
  };
  const malformed = (line: number, reason: string) =>
    refuse(problem(line, 'row', 'people_file.ldif_syntax', { reason }));

  function finishEntry(out: (LdifEntry | Problem)[]): void {
    finishLine();
    if (wrong) out.push(wrong);
    else if (entry) out.push(entry);
    entry = undefined;
    wrong = undefined;
    inside = false;
  }
  function finishLine(): void {
    const line = logical;
    logical = undefined;
    if (!line || wrong || line.text.startsWith('#')) return;
    const match = ATTRIBUTE.exec(line.text);
    if (!match) return malformed(line.number, line.text === '-' ? 'a change, not an entry' : 'a line without a name');
    const [, name = '', mark, raw = ''] = match;
    const attribute = name.toLowerCase();
    if (!inside) {
      if (attribute === 'version' && seen === 0)
        return raw.trim() === '1' ? undefined : malformed(line.number, 'version');
      inside = true;
    }
    const form = mark === ':' ? 'base64' : mark === '<' ? 'url' : 'text';
    const value = { line: line.number, form, raw: form === 'text' ? raw : raw.trim() } as const;
    if (line.tooLong)
      return refuse(problem(line.number, name, 'people_file.row_too_long', { limit: limits.valueCharacters }));
    if (!entry) {
      if (attribute !== 'dn') return malformed(line.number, 'an entry begins with its dn');
      seen++;
      entry = { line: line.number, dn: value, attributes: new Map() };
    } else if (attribute === 'dn') malformed(line.number, 'entries are parted by an empty line');
    else if (attribute === 'control') {
      if (/^[\d.]+ +true\b/i.test(raw)) refuse(problem(line.number, name, 'people_file.ldif_control'));
    } else if (attribute === 'changetype') {
      const change = raw.trim().toLowerCase();
      if (change !== 'add')
        refuse(problem(line.number, name, 'people_file.ldif_change', { change: change.slice(0, 32) }));
    } else if (!line.dropped) {
      const values = entry.attributes.get(attribute);
      if (!values) entry.attributes.set(attribute, [value]);
      else if (values.length < limits.values) values.push(value);
      else refuse(problem(line.number, name, 'people_file.too_many_values', { limit: limits.values }));
    }
  }
  function take(line: TextLine, out: (LdifEntry | Problem)[]): void {
    if (isProblem(line)) {
      // a comment, or an attribute that nobody wants, may be in any encoding
      finishLine();
      refuse(line);
    } else if (line.text === '') finishEntry(out);
    else if (line.text.startsWith(' ')) {
      if (!logical) {
        if (!wrong) malformed(line.number, 'a continuation of nothing');
      } else if (!logical.dropped && !logical.tooLong) {
        logical.tooLong = logical.text.length + line.text.length > limits.valueCharacters;
        if (!logical.tooLong) logical.text += line.text.slice(1);
      }
    } else {
      finishLine();
      const comment = line.text.startsWith('#');
      const colon = line.text.indexOf(':');
      const name = line.text.slice(0, colon === -1 ? 0 : colon).toLowerCase();
      const dropped = comment || (colon !== -1 && !KEPT.has(name) && !wanted(name));
      logical = { number: line.number, text: line.text, dropped, tooLong: false };
    }
  }
  return {
    push(line: TextLine): (LdifEntry | Problem)[] {
      const out: (LdifEntry | Problem)[] = [];
      take(line, out);
      return out;
    },
    end(): (LdifEntry | Problem)[] {
      const out: (LdifEntry | Problem)[] = [];
      finishEntry(out);
      return out;
    },
  };
}

const KEPT: ReadonlySet<string> = new Set(['dn', 'version', 'control', 'changetype']);
