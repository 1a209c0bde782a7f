import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Role } from '@parley/contracts';
import { ArchiveService } from '@parley/contracts/archive/v1/archive';
import { createCallContext, type MountedService } from '@parley/rpc';
import { archivingErrors } from '../errors.ts';
import { withStanding } from './with-standing.ts';

const principal = {
  ...{ id: 'olga', signInId: 's', roles: [], tokenExpiresMs: 0, passwordChangeRequired: false },
  kind: 'person',
} as const;
const context = createCallContext({ principal });

function mounted(): MountedService {
  const impl = {
    getStatus: async () => ({ parked: 7n }),
    async verify(_request: unknown, _context: unknown, sink: { send(event: object): void }) {
      for (let i = 0; i < 10; i++) {
        sink.send({ i });
        await turn();
      }
    },
    listParked: async () => ({}),
    locateRecord: async () => ({}),
  };
  return { desc: ArchiveService, impl: impl as unknown as MountedService['impl'] };
}

function open(require: (person: string, roles: readonly number[]) => Promise<void>) {
  const { impl } = withStanding(mounted(), require) as unknown as {
    readonly impl: Readonly<Record<string, (...args: unknown[]) => Promise<unknown>>>;
  };
  const sent: object[] = [];
  const sink = { send: (event: object) => void sent.push(event), queuedBytes: 0, onDrain: () => undefined };
  return {
    sent,
    status: () => impl['getStatus']?.({}, context),
    verify: () => impl['verify']?.({}, context, sink),
  };
}

describe('a service for those who hold a role now', () => {
  it('asks for one of the roles of the method before it does anything', async () => {
    const asked: unknown[] = [];
    const service = open(async (person, roles) => void asked.push([person, [...roles]]));
    assert.deepEqual(await service.status(), { parked: 7n });
    await service.verify();
    assert.deepEqual(asked[0], ['olga', [Role.COMPLIANCE_OFFICER, Role.ADMINISTRATOR, Role.VIEWER]]);
    assert.deepEqual(asked[1], ['olga', [Role.COMPLIANCE_OFFICER]]);
    assert.equal(service.sent.length, 10);
    const refusing = open(async () => {
      throw archivingErrors('archive.role_lost');
    });
    await assert.rejects(async () => refusing.status(), { code: 'archive.role_lost' });
    await assert.rejects(async () => refusing.verify(), { code: 'archive.role_lost' });
    assert.equal(refusing.sent.length, 0);
  });

  it('sends no more to somebody who loses his role in the middle of a stream', async () => {
    let asked = 0;
    const service = open(async () => {
      if (++asked > 4) throw archivingErrors('archive.role_lost');
    });
    await assert.rejects(async () => service.verify(), { code: 'archive.role_lost' });
    assert.ok(service.sent.length >= 3 && service.sent.length <= 5, `${service.sent.length} were sent`);
  });
});
