import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createLogger, type LogLevel } from './create-logger.ts';

function setUp(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const logger = createLogger({ level, service: 'im', destination: { write: line => void lines.push(line) } });
  return { logger, last: () => JSON.parse(lines.at(-1) ?? 'null'), lines };
}

it('writes one JSON object a line, with level, time, service and event', () => {
  const t = setUp();
  t.logger.child({ pod: 'im-1' }).info('im.message.stored', { bytes: 12 });
  const { time, ...rest } = t.last();
  assert.deepEqual(rest, { level: 'info', service: 'im', event: 'im.message.stored', pod: 'im-1', bytes: 12 });
  assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal(t.lines.at(-1)?.endsWith('}\n'), true);
});

it('hides what is called like a secret', () => {
  const t = setUp();
  t.logger.warn('x', { token: 'T1', password: 'P1', authorization: 'A1' });
  assert.deepEqual([t.last().token, t.last().password, t.last().authorization], ['[secret]', '[secret]', '[secret]']);
});

it('leaves out objects, which would bring along what nobody looked at, and says so', () => {
  const t = setUp();
  t.logger.error('x', { err: 'none', headers: { authorization: 'A2' }, ids: ['a', 'b'], mixed: ['a', 1] });
  const { headers, ids, mixed, omitted } = t.last();
  assert.deepEqual([headers, ids, mixed, omitted], [undefined, ['a', 'b'], undefined, ['headers', 'mixed']]);
});

it('writes errors as name, code, message, stack and cause, and nothing else they carry', () => {
  const t = setUp();
  const cause = Object.assign(new TypeError('inner'), { code: 'ECONNRESET', response: 'secret thing' });
  t.logger.error('x', { err: new Error('outer', { cause }) });
  const { err } = t.last();
  assert.equal(err.message, 'outer');
  assert.match(err.stack, /create-logger\.test/);
  assert.deepEqual([err.cause.name, err.cause.code, err.cause.message], ['TypeError', 'ECONNRESET', 'inner']);
  assert.ok(!t.lines.join('').includes('secret thing'));
  t.logger.error('x', { err: 'a text' });
  assert.equal(t.last().err.message, 'a text');
});

it('leaves out what is below its level', () => {
  const t = setUp('warn');
  t.logger.info('x');
  t.logger.debug('x');
  assert.equal(t.lines.length, 0);
  t.logger.warn('x');
  assert.equal(t.lines.length, 1);
});
