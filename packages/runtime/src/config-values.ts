import { readFileSync } from 'node:fs';
import type { ConfigProblem } from './config-error.ts';
import type { Setting, SettingKind } from './config-shape.ts';

/** Values found so far, with where each came from. */
export class ConfigValues {
  readonly root: Record<string, unknown> = {};
  readonly problems: ConfigProblem[] = [];
  readonly #sources = new Map<string, string>();

  /** Puts a value; a later one replaces an earlier one. */
  set(keys: readonly string[], value: unknown, source: string): void {
    let at = this.root;
    for (const key of keys.slice(0, -1)) {
      if (!Object.hasOwn(at, key)) at[key] = {};
      at = at[key] as Record<string, unknown>;
    }
    at[keys[keys.length - 1] as string] = value;
    this.#sources.set(keys.join('.'), source);
  }

  problem(path: string, source: string, message: string): void {
    this.problems.push({ path, source, message });
  }

  /** Where the value of a path, or the nearest thing above it, came from. */
  sourceOf(path: readonly PropertyKey[]): string {
    for (let n = path.length; n > 0; n--) {
      const source = this.#sources.get(path.slice(0, n).map(String).join('.'));
      if (source !== undefined) return source;
    }
    return 'default';
  }
}

/** Turns the text of an environment variable into a value of the setting's kind; throws what is wrong with it. */
export function coerce(text: string, kind: SettingKind, element: SettingKind | undefined): unknown {
  switch (kind) {
    case 'string':
    case 'enum':
      return text;
    case 'number':
    case 'integer': {
      const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
      if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) throw new Error('is not a number');
      return Number(plain);
    }
    case 'boolean':
      if (/^(true|1|yes|on)$/i.test(text)) return true;
      if (/^(false|0|no|off)$/i.test(text)) return false;
      throw new Error('is neither true nor false');
    case 'list': {
      if (text.trimStart().startsWith('[')) return parseJson(text);
      const items = text.split(',').map(item => item.trim());
      if (items.length === 1 && items[0] === '') return [];
      return items.map(item => coerce(item, element ?? 'string', undefined));
    }
    case 'json':
      return parseJson(text);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('is not JSON');
  }
}

/** Reads the file a `…File` setting names; a line break at its end is not part of the secret. */
export function readSecret(file: string, setting: Setting, source: string, values: ConfigValues): void {
  try {
    values.set(setting.keys, readFileSync(file, 'utf8').replace(/\r?\n$/, ''), source);
  } catch (error) {
    values.problem(setting.path, source, `the file cannot be read (${(error as { code?: string }).code ?? 'error'})`);
  }
}
