import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '@parley/testkit';
import { createFakeServer, MEI, TOM } from '../../test/fake-server.ts';
import { configHome, outcome, start } from '../../test/io.ts';

async function world(t: TestContext) {
  const home = configHome(t);
  const server = createFakeServer();
  const args = ['login', 'mei@clinic.example', '--server', 'http://127.0.0.1:9'];
  const env = { PARLEYCTL_PASSWORD: 'correct horse battery' };
  assert.equal((await outcome(args, { home, fetch: server.fetch, env })).code, 0);
  const chat = async (more: readonly string[] = [], terminal = false) => {
    const running = start(['chat', 'tom@clinic.example', ...more], { home, fetch: server.fetch, terminal });
    await until('the stream', () => server.streams === 1);
    return running;
  };
  return { server, chat };
}

const withoutTimes = (text: string) => text.replaceAll(/\d\d:\d\d/g, 'TIME');

describe('a piped chat', () => {
  it('sends every line, prints what comes, and ends when all is acknowledged', async t => {
    const { server, chat } = await world(t);
    const running = await chat();
    running.stdin.write('早安\n\nsecond line\n');
    await until('both to be sent', () => server.sent.length === 2);
    server.push({ case: 'im', value: server.message(TOM, MEI, 'good\nmorning') });
    await until('the answer', () => running.stdout().includes('morning'));
    running.stdin.end('the last one, without a line end');
    assert.equal(await running.exit, 0);
    assert.deepEqual(
      server.sent.map(m => m.text),
      ['早安', 'second line', 'the last one, without a line end'],
    );
    assert.equal(
      withoutTimes(running.stdout()),
      [
        'TIME You: 早安',
        'TIME You: second line',
        'TIME Tom Okafor: good',
        '                  morning',
        'TIME You: the last one, without a line end',
        '',
      ].join('\n'),
    );
  });

  it('prints JSON lines for machines: messages, presence and failures', async t => {
    const { server, chat } = await world(t);
    const running = await chat(['--json']);
    server.push({ case: 'presence', value: { personId: TOM.id, availability: 6500, revision: 9n } });
    await until('presence', () => running.stdout().includes('busy'));
    running.stdin.end('good\nbad\n');
    assert.equal(await running.exit, 7, 'a message was refused');
    const printed = running
      .stdout()
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      printed.map(p => [p.type, p.text ?? p.state, p.mine]),
      [
        ['presence', 'busy', undefined],
        ['message', 'good', true],
        ['failed', 'bad', undefined],
      ],
    );
    assert.equal((printed[2]?.error as { code: string } | undefined)?.code, 'im.archive_unavailable');
  });

  it('shows no message of the past twice or as new', async t => {
    const { server, chat } = await world(t);
    server.history.push(server.message(TOM, MEI, 'old one', 1), server.message(MEI, TOM, 'old two', 2));
    const running = await chat(['--history', '1']);
    server.push({ case: 'im', value: server.history[0] ?? assert.fail() });
    server.push({ case: 'im', value: server.message(TOM, MEI, 'new') });
    await until('the new one', () => running.stdout().includes('new'));
    running.stdin.end();
    assert.equal(await running.exit, 0);
    assert.equal(withoutTimes(running.stdout()), 'TIME You: old two\nTIME Tom Okafor: new\n');
  });

  it('tells of others who write meanwhile, and of a lost connection', async t => {
    const { server, chat } = await world(t);
    const running = await chat();
    const ana = { ...TOM, id: 'ana-id' };
    server.push({ case: 'im', value: server.message(MEI, ana, 'from another device of mine') });
    server.push({ case: 'im', value: server.message(ana, MEI, 'hello') });
    await until('the remark', () => running.stdout().includes('ana-id wrote to you'));
    assert.equal(running.stdout().match(/wrote to you/g)?.length, 1, 'what I write elsewhere is no news');
    server.push({ case: 'reconnect', value: { afterMs: 50 } });
    await until('both remarks', () => running.stderr().includes('connected again'));
    assert.match(running.stderr(), /^-- connection lost; trying again in \d+ s\n-- connected again\n$/);
    running.stdin.end();
    assert.equal(await running.exit, 0);
  });

  it('ends with exit code 3 when the sign-in is ended', async t => {
    const { server, chat } = await world(t);
    const running = await chat();
    server.push({ case: 'sessionEnded', value: { reason: 3 } });
    assert.equal(await running.exit, 3);
    assert.match(running.stderr(), /client\.signed_out/);
  });
});

describe('a chat on a terminal', () => {
  it('shows what was typed once, when it is durable, and what comes above what is being typed', async t => {
    const { server, chat } = await world(t);
    server.history.push(server.message(TOM, MEI, 'before', 1));
    const running = await chat([], true);
    await until('the prompt', () => running.stdout().includes('> '));
    running.stdin.write('hello\r');
    await until('the message', () => running.stdout().includes('You'));
    running.stdin.write('half a sen');
    server.push({ case: 'im', value: server.message(TOM, MEI, 'hi there') });
    await until('the answer', () => running.stdout().includes('hi there'));
    running.stdin.write('tence\r');
    await until('the rest', () => server.sent.length === 2);
    running.stdin.write('\u0004');
    assert.equal(await running.exit, 0);
    assert.deepEqual(
      server.sent.map(m => m.text),
      ['hello', 'half a sentence'],
    );
    const screen = withoutTimes(render(running.stdout())).split('\n');
    assert.deepEqual(
      screen.filter(line => line.trim() !== ''),
      [
        'TIME Tom Okafor: before',
        '-- Ctrl-D ends the conversation',
        'TIME You: hello',
        'TIME Tom Okafor: hi there',
        'TIME You: half a sentence',
        '>',
      ],
    );
  });

  it('ends with Ctrl-C', async t => {
    const { chat } = await world(t);
    const running = await chat([], true);
    running.stdin.write('\u0003');
    assert.equal(await running.exit, 0);
  });
});

/** What a terminal of 80 columns shows in the end: understands what readline and this program write. */
function render(output: string): string {
  const rows: string[][] = [[]];
  let [x, y] = [0, 0];
  const row = () => (rows[y] ??= []);
  for (let rest = output; rest !== ''; ) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences are what is read here
    const sequence = /^\u001b\[(\d*)([A-Za-z])/.exec(rest);
    if (sequence) {
      const count = Number(sequence[1] || 1);
      if (sequence[2] === 'A') y = Math.max(0, y - count);
      else if (sequence[2] === 'G') x = count - 1;
      else if (sequence[2] === 'C') x += count;
      else if (sequence[2] === 'D') x -= count;
      else if (sequence[2] === 'K') row().length = Math.min(row().length, x);
      else if (sequence[2] === 'J') {
        row().length = Math.min(row().length, x);
        rows.length = y + 1;
      } else if (sequence[2] !== 'm') throw new Error(`unknown sequence ${JSON.stringify(sequence[0])}`);
      rest = rest.slice(sequence[0].length);
      continue;
    }
    const character = rest[0] as string;
    rest = rest.slice(1);
    if (character === '\n') {
      y++;
      x = 0;
    } else if (character === '\r') x = 0;
    else {
      while (row().length < x) row().push(' ');
      row()[x++] = character;
    }
  }
  return rows.map(cells => cells.join('').trimEnd()).join('\n');
}
