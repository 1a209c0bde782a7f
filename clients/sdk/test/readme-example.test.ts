import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { testEnvironment } from './environment.ts';
import { createFakeServer } from './fake-server.ts';
import { firstConversation } from './readme-example.ts';

it('the first conversation of the README works as it stands there', async t => {
  const body = /Promise<void> \{\n([\s\S]*)\n\}\n$/.exec(
    readFileSync(new URL('readme-example.ts', import.meta.url), 'utf8'),
  );
  const code = (body?.[1] ?? '').replaceAll(/^ {2}/gm, '');
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  assert.ok(code.length > 500);
  assert.ok(readme.includes(code), 'the README shows another text than test/readme-example.ts');

  const server = createFakeServer(testEnvironment().now);
  const printed: unknown[] = [];
  t.mock.method(globalThis, 'fetch', server.fetch);
  t.mock.method(console, 'log', (...line: unknown[]) => printed.push(line));
  await firstConversation('http://parley.example', 'mei@clinic.example', 'correct horse', 'tom@clinic.example');
  assert.deepEqual(printed.at(-1), [['Good morning, is ward 3 ready? (sent)']]);
  assert.equal(server.sent[0]?.recipientId, 'tom');
});
