import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Logger } from '@parley/runtime';
import { createMetrics } from '@parley/runtime';
import { Session } from './app/session.ts';
import { createSessionEvents } from './events.ts';
import { FakeStream } from './testing/fake-stream.ts';
import { quiet } from './testing/harness.ts';

describe('log lines', () => {
  it('name session and person, and nothing else of the session', () => {
    const lines: object[] = [];
    const logger: Logger = { ...quiet, info: (_event, fields) => void lines.push(fields ?? {}) };
    const events = createSessionEvents(logger, createMetrics({ defaults: false }));
    const facts = {
      sessionId: 's',
      connectionId: 'c',
      personId: 'p',
      signInId: 'secret-ish',
      endpointId: 'e',
      expiresMs: 0,
    };
    const session = new Session(0, facts, new FakeStream(), 0, 0);
    events.opened(session, { requestId: 'r', client: 'x/1.2.3', watches: 2 });
    events.slowReader(session);
    events.ended(session, 'client_gone', 1.6);
    assert.deepEqual(lines, [
      { sessionId: 's', personId: 'p', requestId: 'r', client: 'x/1.2.3', watches: 2 },
      { sessionId: 's', personId: 'p' },
      { sessionId: 's', personId: 'p', reason: 'client_gone', livedMs: 2 },
    ]);
  });
});
