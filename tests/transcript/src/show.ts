/** For whoever writes a page: follows it and prints what its commands really print. `show.ts PAGE` */
import { readFileSync } from 'node:fs';
import { readPage } from './page.ts';
import { PAGES } from './pages.ts';
import { runPage } from './run-page.ts';

const [name = ''] = process.argv.slice(2);
const page = PAGES.find(each => each.path.endsWith(name));
const steps = readPage(readFileSync(name, 'utf8'));
await runPage(steps, {
  from: page?.from ?? 'empty directory',
  lenient: true,
  onOutput: ({ line, command, terminal }, output, exit) =>
    console.log(`\n--- ${line} [${terminal}] exit ${exit ?? 'none yet'}\n$ ${command}\n${output}`),
});
