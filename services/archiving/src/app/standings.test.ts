import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Role } from '@parley/contracts';
import { createWorld, type World } from '../testing/world.ts';

let world: World;
const OFFICER = { enabled: true, roles: [Role.COMPLIANCE_OFFICER] };
const NOBODY = { enabled: true, roles: [] };

beforeEach(async () => {
  world = await createWorld({ roleMaxAgeMs: 3_000, roleStaleMs: 30_000, settlePollMs: 20 });
  await world.start();
  await world.append({ id: 'm1', text: 'secret' });
  await world.archived();
  world.directory.standings.set('olga', OFFICER);
});
afterEach(() => world.close());

const look = async () => (await world.search({ query: {} })).auditId;

describe('whoever looks into the archive', () => {
  it('is asked about once in a few seconds, and is refused when he has lost his role, whatever his token says', async () => {
    assert.ok(await look());
    assert.ok(await look());
    assert.equal(world.directory.asked, 1);
    world.directory.standings.set('olga', NOBODY);
    await world.clock.advance(2_999);
    assert.ok(await look());
    await world.clock.advance(1);
    await assert.rejects(look(), { code: 'archive.role_lost', kind: 'forbidden' });
    await assert.rejects(world.verify(), { code: 'archive.role_lost' });
    assert.equal(await world.metric('parley_archive_standing_refused_total{code="archive.role_lost"}'), 2);
    world.directory.standings.set('olga', OFFICER);
    await world.clock.advance(3_000);
    assert.ok(await look());
  });

  it('needs a role of the very call, and an account in force', async () => {
    world.directory.standings.set('olga', { enabled: true, roles: [Role.ADMINISTRATOR] });
    await assert.rejects(look(), { code: 'archive.role_lost' });
    await world.status();
    await world.clock.advance(3_000);
    world.directory.standings.set('olga', { ...OFFICER, enabled: false });
    await assert.rejects(look(), { code: 'archive.account_disabled', kind: 'forbidden' });
    await assert.rejects(world.status(), { code: 'archive.account_disabled' });
  });

  it('is relied on for half a minute while the directory is silent, and nobody is who was not known', async () => {
    assert.ok(await look());
    world.directory.down = true;
    await world.clock.advance(29_999);
    assert.ok(await look());
    await world.clock.advance(1);
    await assert.rejects(look(), { code: 'archive.directory_unavailable', retryAfterMs: 1_000 });
    world.directory.down = false;
    assert.ok(await look());
  });
});
