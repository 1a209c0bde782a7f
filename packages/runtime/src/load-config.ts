import type { z } from 'zod';
import { ConfigError } from './config-error.ts';
import { settingsOf } from './config-shape.ts';
import { readEnvironment, readOverrides, readYaml, shapeOf } from './config-sources.ts';
import { ConfigValues } from './config-values.ts';

/** Where settings come from; later ones win: default, file, environment, overrides. */
export interface ConfigSources {
  /** A YAML file; it must exist when it is named. */
  readonly file?: string;
  /** The environment, as `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Beginning of the names of our variables, default `PARLEY_`. */
  readonly prefix?: string;
  /** Values of command line options, shaped like the settings. */
  readonly overrides?: object;
  /** Variables with the prefix that are no settings, by name or pattern. */
  readonly allow?: readonly (string | RegExp)[];
}

/** Reports one more problem of a value that the schema accepted. */
export type ReportProblem = (path: string, message: string) => void;

/**
 * Reads, shapes and checks a configuration. The environment name of a setting is its path in capitals
 * (`im.maxTextChars` is read from `PARLEY_IM_MAX_TEXT_CHARS`); lists are separated by commas; a text setting may be read
 * from a file that `…_FILE` or, in YAML, `…File` names, which is how secrets come in.
 *
 * Throws a {@link ConfigError} with everything that is wrong at once, each with its path and where it came from:
 * unknown settings, values of the wrong type or out of range, files that cannot be read; and what `check` reports,
 * which is called with a value that the schema accepts.
 */
export function loadConfig<S extends z.ZodType>(
  schema: S,
  sources: ConfigSources = {},
  check?: (value: z.infer<S>, report: ReportProblem) => void,
): z.infer<S> {
  const prefix = sources.prefix ?? 'PARLEY_';
  const settings = settingsOf(schema, prefix);
  const shape = shapeOf(settings);
  const values = new ConfigValues();
  if (sources.file !== undefined) readYaml(sources.file, shape, values);
  readEnvironment(sources.env ?? {}, prefix, sources.allow ?? [], shape, values);
  readOverrides(sources.overrides ?? {}, shape, values);
  const result = schema.safeParse(values.root);
  if (!result.success) {
    for (const issue of result.error.issues) {
      const path = issue.path.map(String).join('.');
      // A value that could not be read at all has been reported already.
      if (!values.problems.some(p => p.path === path)) {
        values.problem(path || '(all)', values.sourceOf(issue.path), issue.message);
      }
    }
  }
  if (result.success) {
    check?.(result.data, (path, message) => values.problem(path, values.sourceOf(path.split('.')), message));
  }
  if (values.problems.length > 0 || !result.success) {
    throw new ConfigError(values.problems.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)));
  }
  return result.data;
}

/** A row of the settings reference. */
export interface SettingRow {
  readonly path: string;
  readonly env: string;
  readonly type: string;
  /** As JSON; empty when the setting must be given or may be missing. */
  readonly default: string;
  readonly required: boolean;
  readonly description: string;
}

/** Every setting of a schema, for the generated reference. */
export function describeConfig(schema: z.ZodType, prefix = 'PARLEY_'): readonly SettingRow[] {
  return settingsOf(schema, prefix).map(({ path, env, type, default: fallback, required, description }) => ({
    path,
    env,
    type,
    default: fallback === undefined ? '' : JSON.stringify(fallback),
    required,
    description,
  }));
}
