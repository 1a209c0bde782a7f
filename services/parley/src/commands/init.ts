import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemIds } from '@parley/runtime';
import { createKeys } from '../keys.ts';
import { TARGET_NAMES } from '../routes.ts';
import { type CommonOptions, keysDir, readConfig } from './context.ts';

/** What `parley init` may be told. */
export interface InitOptions extends CommonOptions {
  /** Mail-like domains of the organisation. */
  readonly domain?: readonly string[];
  readonly profile?: 'standard' | 'regulated';
}

/** Settings of the `regulated` profile over the defaults: everybody is archived, and nothing goes past the archive. */
const REGULATED = {
  directory: {
    archiveInternal: true,
    archiveExternal: true,
    archiveCritical: true,
    accessTokenLifetimeMs: 300_000,
    refreshIdleMs: 86_400_000,
  },
};

/** `parley init`: writes configuration and keys; leaves what is there. Returns what it did, a line each. */
export function init(options: InitOptions): readonly string[] {
  const done: string[] = [];
  const dataDir = options.dataDir ?? process.env.PARLEY_DATA_DIR ?? 'data';
  const file = join(dataDir, 'parley.yaml');
  if (options.config === undefined && process.env.PARLEY_CONFIG === undefined && !existsSync(file)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const domains = options.domain ?? ['parley.example'];
    const settings =
      options.profile === 'regulated' ? { directory: { domains, ...REGULATED.directory } } : { directory: { domains } };
    writeFileSync(file, yamlOf(settings), { flag: 'wx', mode: 0o600 });
    done.push(`wrote ${file}`);
  }
  const config = readConfig(options);
  const written = createKeys(keysDir(config), TARGET_NAMES, systemIds);
  done.push(
    written.length === 0
      ? `keys are there: ${keysDir(config)}`
      : `wrote ${written.length} key files to ${keysDir(config)}`,
  );
  return done;
}

/** Two levels of settings as YAML that a person would write. */
function yamlOf(settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>): string {
  const lines = Object.entries(settings).flatMap(([section, values]) => [
    `${section}:`,
    ...Object.entries(values).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`),
  ]);
  return `# Parley configuration. Every setting with its default: docs/reference/configuration.md\n${lines.join('\n')}\n`;
}
