import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missingLine, readPage } from './page.ts';

const page = `# A page
<!-- transcript: run="parley migrate" exit="2" -->

<!-- transcript: terminal="server" until="is running" -->
\`\`\`console
$ make run
\`\`\`
text
\`\`\`sh
one   # comment
two \\
  --more
\`\`\`
<!-- transcript: exit="4" typed="a\\nb" -->
\`\`\`console
$ first
out 1
$ second
> line
out …
\`\`\`
\`\`\`yaml
not: run
\`\`\`
<!-- transcript: file="people.csv" -->
\`\`\`csv
address,name

a@b.example,A
\`\`\`
`;

test('reads commands, output and directives in order', () => {
  const steps = readPage(page);
  assert.deepEqual(
    steps
      .filter(s => s.kind === 'command')
      .map(s => [s.line, s.command, s.output, s.terminal, s.until, s.typed, s.exit]),
    [
      [2, 'parley migrate', undefined, 'main', undefined, [], 2],
      [6, 'make run', undefined, 'server', 'is running', [], 0],
      [10, 'one   # comment', undefined, 'main', undefined, [], 0],
      [11, 'two \\\n  --more', undefined, 'main', undefined, [], 0],
      [16, 'first', ['out 1'], 'main', undefined, [], 0],
      [18, 'second\nline', ['out …'], 'main', undefined, ['a', 'b'], 4],
    ],
  );
  assert.deepEqual(steps.at(-1), {
    kind: 'file',
    line: 26,
    path: 'people.csv',
    text: 'address,name\n\na@b.example,A\n',
  });
});

test('refuses what it cannot read', () => {
  assert.throws(() => readPage('```console\nno command\n```'), /line 2: output before/);
  assert.throws(() => readPage('```sh\nls'), /no end/);
  assert.throws(() => readPage('<!-- transcript: colour="red" -->\n```sh\nls\n```'), /no directive/);
  assert.throws(() => readPage('<!-- transcript: until=x -->\n```sh\nls\n```'), /cannot read/);
  assert.throws(() => readPage('<!-- transcript: press="^C" -->\n```sh\nls\n```'), /press without until/);
  assert.throws(() => readPage('<!-- transcript: fill="ID" -->\n```sh\nls\n```'), /line 3: fill=/);
  assert.throws(() => readPage('<!-- transcript: file="a" exit="1" -->\n```csv\na\n```'), /exit beside file/);
  assert.throws(() => readPage('<!-- transcript: exit="1" -->\ntext'), /without a block/);
});

test('reads what is put in the place of a word', () => {
  const [step] = readPage('<!-- transcript: fill="ID={printed:a=(.)}" -->\n```sh\nshow ID\n```');
  assert.deepEqual(step?.kind === 'command' && step.fill, ['ID', '{printed:a=(.)}']);
});

test('compares output line by line, with … for anything', () => {
  const printed = 'begin\nmade  3 people\n\n林美玲   Surgery\nend\n';
  assert.equal(missingLine(['made 3 people', '林美玲 Surgery'], printed), undefined);
  assert.equal(missingLine(['made … people'], printed), undefined);
  assert.equal(missingLine(['begin', '…', 'end'], printed), undefined);
  assert.equal(missingLine(['begin', 'end'], printed), 'end');
  assert.equal(missingLine(['end', 'begin'], printed), 'begin');
  assert.equal(missingLine(['made 4 people'], printed), 'made 4 people');
  assert.equal(missingLine(['made 3'], printed), 'made 3');
});
