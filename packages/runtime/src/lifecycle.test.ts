import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import { ManualClock } from '@parley/testkit';
import { createLogger } from './create-logger.ts';
import { createHealth } from './health.ts';
import { runModules, runUntilSignal } from './lifecycle.ts';
import type { Module } from './module.ts';

function setUp() {
  const clock = new ManualClock();
  const done: string[] = [];
  const lines: string[] = [];
  const logger = createLogger({
    level: 'debug',
    service: 'test',
    destination: { write: line => void lines.push(line) },
  });
  const module = (name: string, own: Partial<Module> = {}): Module => ({
    name,
    start: async () => void done.push(`start ${name}`),
    stop: async () => void done.push(`stop ${name}`),
    ...own,
  });
  return { clock, done, lines, logger, module };
}

describe('modules', () => {
  it('start in order and stop in reverse', async () => {
    const t = setUp();
    const running = await runModules([t.module('a'), t.module('b')], t);
    assert.deepEqual(await running.stop(), []);
    assert.deepEqual(t.done, ['start a', 'start b', 'stop b', 'stop a']);
    await running.stop();
    assert.equal(t.done.length, 4);
  });

  it('are stopped again, the failed one included, when one does not start', async () => {
    const t = setUp();
    const bad = t.module('b', { start: () => Promise.reject(new Error('port in use')) });
    await assert.rejects(runModules([t.module('a'), bad, t.module('c')], t), /port in use/);
    assert.deepEqual(t.done, ['start a', 'stop b', 'stop a']);
  });

  it('stop even when another cannot, or takes too long', async () => {
    const t = setUp();
    const stuck = t.module('b', { stop: () => new Promise(() => {}) });
    const broken = t.module('c', {
      stop() {
        throw new Error('broken');
      },
    });
    const running = await runModules([t.module('a'), stuck, broken], { ...t, stopTimeoutMs: 100 });
    const stopped = running.stop();
    await t.clock.advance(100);
    assert.deepEqual(await stopped, ['c', 'b']);
    assert.equal(t.done.at(-1), 'stop a');
  });

  it('need names of their own', async () => {
    const t = setUp();
    await assert.rejects(runModules([t.module('a'), t.module('a')], t), /same name/);
    assert.deepEqual(t.done, []);
  });
});

describe('a main', () => {
  class Signals extends EventEmitter {
    exited: number | undefined;
    exit(code: number) {
      this.exited = code;
    }
  }

  it('becomes unready, waits, stops everything and ends well after a signal', async () => {
    const t = setUp();
    const signals = new Signals();
    const health = createHealth();
    const code = runUntilSignal([t.module('a')], { ...t, health, drainMs: 1000, signals });
    await t.clock.advance(0);
    assert.equal(health.ready().ok, true);
    signals.emit('SIGTERM');
    await t.clock.advance(999);
    assert.equal(health.ready().ok, false);
    assert.deepEqual(t.done, ['start a']);
    await t.clock.advance(1);
    assert.equal(await code, 0);
    assert.deepEqual(t.done, ['start a', 'stop a']);
    assert.equal(signals.listenerCount('SIGTERM'), 0);
  });

  it('says by its code that something could not be stopped', async () => {
    const t = setUp();
    const signals = new Signals();
    const broken = t.module('a', { stop: () => Promise.reject(new Error('x')) });
    const code = runUntilSignal([broken], { ...t, health: createHealth(), signals });
    signals.emit('SIGINT');
    assert.equal(await code, 1);
  });

  it('ends at once at the second signal', async () => {
    const t = setUp();
    const signals = new Signals();
    const stuck = t.module('a', { stop: () => new Promise(() => {}) });
    const code = runUntilSignal([stuck], { ...t, health: createHealth(), signals, stopTimeoutMs: 10 });
    await t.clock.advance(0);
    signals.emit('SIGINT');
    signals.emit('SIGINT');
    assert.equal(signals.exited, 130);
    await t.clock.advance(10);
    assert.equal(await code, 1);
  });

  it('reloads at SIGHUP and goes on, when there is something to reload', async () => {
    const t = setUp();
    const signals = new Signals();
    let reloads = 0;
    const options = { ...t, health: createHealth(), signals };
    const code = runUntilSignal([t.module('a')], { ...options, reload: () => void reloads++ });
    await t.clock.advance(0);
    signals.emit('SIGHUP');
    signals.emit('SIGHUP');
    assert.equal(reloads, 2);
    signals.emit('SIGTERM');
    assert.equal(await code, 0);
    assert.equal(signals.listenerCount('SIGHUP'), 0);
    const plain = runUntilSignal([t.module('b')], options);
    await t.clock.advance(0);
    assert.equal(signals.listenerCount('SIGHUP'), 0, 'the system decides');
    signals.emit('SIGTERM');
    await plain;
  });

  it('rejects when something does not start', async () => {
    const t = setUp();
    const bad = t.module('a', { start: () => Promise.reject(new Error('no')) });
    await assert.rejects(runUntilSignal([bad], { ...t, health: createHealth(), signals: new Signals() }), /no/);
  });
});
