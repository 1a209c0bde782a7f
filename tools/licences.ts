/** Refuses dependencies whose licence does not go with Apache-2.0, and those that want to run scripts at install. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const ALLOWED = new Set([
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'MIT-0',
  'Unlicense',
  'CC0-1.0',
  'BlueOak-1.0.0',
  'Python-2.0',
]);
/** Packages that name an install script but work without it; scripts never run here (.npmrc). */
const WORKS_WITHOUT_SCRIPT = new Set(['@bufbuild/buf', 'protobufjs', 'esbuild', 'fsevents']);

interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly link?: boolean;
  /** Only for building and testing; not part of what is delivered. */
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
}
const lock = JSON.parse(readFileSync(resolve(root, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, LockEntry>;
};

/** Fine for tools that nobody receives with the product. */
const ALLOWED_FOR_TOOLS = new Set(['MPL-2.0']);

/** True when an SPDX expression leaves at least one allowed choice. */
function allowed(expression: string): boolean {
  return expression
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some(choice => choice.split(' AND ').every(part => ALLOWED.has(part.trim())));
}

const problems: string[] = [];
let checked = 0;
for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path.includes('node_modules/') || entry.link) continue;
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  if (/^node-(bin-)?(linux|darwin)-/.test(name)) continue; // Node.js itself, MIT, declared as a file reference
  checked++;
  if (!entry.license) problems.push(`${name}@${entry.version}: no licence in its package`);
  else if (!allowed(entry.license) && !(entry.dev && ALLOWED_FOR_TOOLS.has(entry.license)))
    problems.push(`${name}@${entry.version}: licence ${entry.license}`);
  if (entry.hasInstallScript && !WORKS_WITHOUT_SCRIPT.has(name))
    problems.push(`${name}@${entry.version}: has an install script`);
}
for (const problem of problems) console.error(problem);
console.log(`${checked} dependencies checked, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
