import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createScreen } from './screen.ts';

function shown(...texts: string[]): string {
  const screen = createScreen();
  for (const text of texts) screen.write(text);
  return screen.text();
}

test('shows lines as they were printed, without colours and titles', () => {
  assert.equal(
    shown('one\r\n\u001b[31mtwo\u001b[0m 林美玲 👋\r\n', '\u001b]0;title\u0007three'),
    'one\ntwo 林美玲 👋\nthree',
  );
});

test('shows the last of what was printed over', () => {
  assert.equal(shown('10 %\r20 %\r\u001b[Kdone\r\n'), 'done\n');
  assert.equal(shown('abc\b\bX'), 'aXc');
});

test('shows what is left when lines above were wiped', () => {
  assert.equal(shown('> hello\r\n', '\u001b[1G\u001b[1A\u001b[0J', 'You: hello\r\n> '), 'You: hello\n>');
});

test('says what stands before the cursor', () => {
  const screen = createScreen();
  screen.write('Password of mei: ');
  assert.equal(screen.beforeCursor(), 'Password of mei: ');
  screen.write('\r\n');
  assert.equal(screen.beforeCursor(), '');
  assert.equal(screen.row, 1);
});
