import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '../..');

/** One import as it stands in the source. */
export interface Import {
  /** File that imports, relative to the root. */
  readonly from: string;
  /** What it names. */
  readonly specifier: string;
  /** File it means, relative to the root, for relative imports. */
  readonly to: string | undefined;
  readonly typeOnly: boolean;
}

const PATTERN =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Source files of the product, without generated ones. */
export function sources(...patterns: string[]): string[] {
  return globSync(patterns, {
    cwd: root,
    exclude: path => path.includes('node_modules') || path.endsWith('/gen') || path.endsWith('/dist'),
  }).sort();
}

/** Every import of a file. */
export function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(PATTERN)].map(match => {
    const specifier = (match[2] ?? match[3]) as string;
    const to = specifier.startsWith('.') ? relative(root, resolve(root, dirname(file), specifier)) : undefined;
    return { from: file, specifier, to, typeOnly: match[1] !== undefined };
  });
}

/** Name and dependencies of the workspace a file belongs to. */
export function manifestOf(file: string): {
  readonly dir: string;
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
} {
  const dir = file
    .split('/')
    .slice(0, file.startsWith('bench/') ? 1 : 2)
    .join('/');
  const manifest = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8')) as {
    name: string;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return {
    dir,
    name: manifest.name,
    dependencies: new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies })),
  };
}
