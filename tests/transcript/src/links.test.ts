import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './run-page.ts';

const PAGES = globSync(['*.md', 'docs/**/*.md', '{clients,packages,services,tests}/*/README.md'], { cwd: ROOT });

/** Names of the headings of a page, as GitHub makes them. */
function anchors(path: string): ReadonlySet<string> {
  const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map(text =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link between pages leads somewhere', () => {
  const dead: string[] = [];
  let links = 0;
  for (const page of PAGES) {
    const text = readFileSync(join(ROOT, page), 'utf8').replace(/^ {0,3}```[\s\S]*?^ {0,3}```/gm, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
      if (!existsSync(file)) dead.push(`${page}: ${target}`);
      else if (anchor && file.endsWith('.md') && !anchors(file).has(anchor)) dead.push(`${page}: ${target}`);
    }
  }
  assert.ok(links > 50, `only ${links} links were found`);
  assert.deepEqual(dead, []);
});
