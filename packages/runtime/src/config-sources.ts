import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import type { Setting } from './config-shape.ts';
import { type ConfigValues, coerce, readSecret } from './config-values.ts';

/** Settings by path and the paths that lead to them. */
export interface Shape {
  readonly byPath: ReadonlyMap<string, Setting>;
  readonly sections: ReadonlySet<string>;
}

/** Sorts settings by how they are looked up. */
export function shapeOf(settings: readonly Setting[]): Shape {
  const sections = new Set<string>(['']);
  for (const { keys } of settings) for (let n = 1; n < keys.length; n++) sections.add(keys.slice(0, n).join('.'));
  return { byPath: new Map(settings.map(setting => [setting.path, setting])), sections };
}

/** Takes the values of a YAML file. */
export function readYaml(file: string, shape: Shape, values: ConfigValues): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    values.problem(file, file, `the file cannot be read (${(error as { code?: string }).code ?? 'error'})`);
    return;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number | undefined) => `${file}:${offset === undefined ? 1 : lines.linePos(offset).line}`;
  for (const error of document.errors) {
    values.problem(file, at(error.pos[0]), error.message.split('\n', 1)[0]?.replace(/ at line .*$/, '') ?? 'not YAML');
  }
  if (document.errors.length > 0 || document.contents === null) return;
  if (!isMap(document.contents)) return values.problem(file, at(0), 'must be a mapping of sections');
  section(document.contents, []);

  function section(map: YAMLMap, keys: readonly string[]): void {
    for (const { key, value } of map.items) {
      const name = String(isScalar(key) ? key.value : key);
      const path = [...keys, name];
      const source = at((key as Node).range?.[0]);
      const setting = shape.byPath.get(path.join('.'));
      if (setting) {
        if (value !== null) values.set(path, (value as Node).toJS(document, { maxAliasCount: 100 }), source);
      } else if (shape.sections.has(path.join('.'))) {
        if (isMap(value)) section(value, path);
        else if (!(value === null || (isScalar(value) && value.value === null))) {
          values.problem(path.join('.'), source, 'must be a section with settings of its own');
        }
      } else secretOrUnknown(path, value, source);
    }
  }

  function secretOrUnknown(path: readonly string[], value: unknown, source: string): void {
    const setting = secretSetting(path.join('.'), shape);
    if (!setting) return values.problem(path.join('.'), source, `is not a setting${hint(path.join('.'), shape)}`);
    if (values.sourceOf(setting.keys) !== 'default') {
      return values.problem(setting.path, source, 'is given twice, as value and as file');
    }
    const named = isScalar(value) && typeof value.value === 'string' ? value.value : undefined;
    if (named === undefined) return values.problem(path.join('.'), source, 'must be the name of a file');
    readSecret(resolve(dirname(file), named), setting, source, values);
  }
}

/** The text setting that `<path>File` gives the content of. */
function secretSetting(path: string, shape: Shape): Setting | undefined {
  const setting = path.endsWith('File') ? shape.byPath.get(path.slice(0, -'File'.length)) : undefined;
  return setting?.kind === 'string' ? setting : undefined;
}

/** Takes the values of environment variables that begin with `prefix`. */
export function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  prefix: string,
  allow: readonly (string | RegExp)[],
  shape: Shape,
  values: ConfigValues,
): void {
  const byEnv = new Map([...shape.byPath.values()].map(setting => [setting.env, setting]));
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith(prefix)) continue;
    const setting = byEnv.get(name);
    if (setting) {
      try {
        values.set(setting.keys, coerce(text, setting.kind, setting.element), name);
      } catch (error) {
        values.problem(setting.path, name, (error as Error).message);
      }
      continue;
    }
    const secret = name.endsWith('_FILE') ? byEnv.get(name.slice(0, -'_FILE'.length)) : undefined;
    if (secret?.kind === 'string') {
      if (env[secret.env] !== undefined) values.problem(secret.path, name, 'is given twice, as value and as file');
      else readSecret(resolve(text), secret, name, values);
    } else if (!allow.some(known => (typeof known === 'string' ? known === name : known.test(name)))) {
      values.problem(name, 'environment', `is not a setting${hintOf(name, [...byEnv.keys()])}`);
    }
  }
}

/** Takes values that the program itself gives, such as command line options. */
export function readOverrides(
  overrides: object,
  shape: Shape,
  values: ConfigValues,
  keys: readonly string[] = [],
): void {
  for (const [name, value] of Object.entries(overrides)) {
    if (value === undefined) continue;
    const path = [...keys, name];
    if (shape.byPath.has(path.join('.'))) values.set(path, value, 'option');
    else if (shape.sections.has(path.join('.'))) readOverrides(value as object, shape, values, path);
    else values.problem(path.join('.'), 'option', `is not a setting${hint(path.join('.'), shape)}`);
  }
}

function hint(path: string, shape: Shape): string {
  return hintOf(path, [...shape.byPath.keys(), ...shape.sections]);
}

function hintOf(name: string, known: readonly string[]): string {
  let best: string | undefined;
  let least = Math.min(4, Math.ceil(name.length / 4) + 1);
  for (const candidate of known) {
    const far = distance(name.toLowerCase(), candidate.toLowerCase(), least);
    if (far < least) [best, least] = [candidate, far];
  }
  return best === undefined ? '' : `; did you mean ${best}?`;
}

/** Levenshtein distance, or `limit` when it is at least that. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return Math.min(limit, row[b.length] as number);
}
