/** Runs one bench: `bench/run.ts NAME [--smoke]`. A table on standard error, one line of JSON on standard output. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from './lib/bench.ts';

const [name = '', ...flags] = process.argv.slice(2);
const file = join(import.meta.dirname, name, 'bench.ts');
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(file)) {
  console.error(`there is no bench called "${name}"; see bench/README.md`);
  process.exit(2);
}
const { bench } = (await import(file)) as { bench: Bench };
const rows = await bench({ smoke: flags.includes('--smoke') });
const width = Math.max(...rows.map(row => row.what.length));
for (const { what, value, unit } of rows)
  console.error(
    `${what.padEnd(width)}  ${value.toLocaleString('en', { maximumFractionDigits: 2 }).padStart(12)}  ${unit}`,
  );
console.log(
  JSON.stringify({
    bench: name,
    smoke: flags.includes('--smoke'),
    ...Object.fromEntries(rows.map(row => [row.key, row.value])),
  }),
);
process.exit(0);
