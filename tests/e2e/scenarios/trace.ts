import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Role } from '@parley/contracts';
import { parleyctl } from '../parleyctl.ts';
import type { Scenario, World } from '../scenario.ts';

const FORBIDDEN = 4;

export const trace: Scenario = {
  name: 'an administrator sees which policy decides, and where a message stands in the archive, but never what it says',
  async run(world) {
    const run = crypto.randomUUID().slice(0, 8);
    const [ana, ben, cleo] = [
      await world.person('Ana Souza'),
      await world.person('Ben Katz'),
      await world.person('Cleo'),
    ];
    const off = { archiveInternal: false, archiveExternal: false, critical: false };
    for (const person of [ana, cleo]) await world.archiving(person, off);
    await world.archiving(ben, { ...off, archiveInternal: true, critical: true });
    const { address, password } = world.parley.administrator;
    const administrator = await tool(world, 'administrator', address, password);
    const viewer = await world.person('Viewer', [Role.VIEWER]);
    const asViewer = await tool(world, 'viewer', viewer.address, viewer.password);
    const asBen = await tool(world, 'ben', ben.address, ben.password);

    const explained = await administrator('explain', 'archiving', ana.address, ben.address, '--json');
    assert.equal(explained.code, 0, explained.stderr);
    const { archived, critical, decidedBy, people } = JSON.parse(explained.stdout) as Decided;
    assert.deepEqual([archived, critical, decidedBy], [true, true, `person:${ben.id}`]);
    assert.deepEqual(
      people.map(one => [one.person, one.scope, one.archiveInternal]),
      [
        [ana.id, 'person', false],
        [ben.id, 'person', true],
      ],
    );
    assert.match((await asViewer('explain', 'archiving', ana.id, cleo.id)).stdout, /are not archived/);
    assert.equal((await asBen('explain', 'archiving', ana.id, ben.id)).code, FORBIDDEN);

    const desk = await world.device(ana);
    const { eventId } = await desk.client.send(ben.id, `secret ${run}`).acknowledged;
    const { eventId: unarchived } = await desk.client.send(cleo.id, `nothing of this ${run}`).acknowledged;
    await world.verify();
    // the server decided as the command line explains it
    for (const ask of [administrator, asViewer]) {
      const told = await ask('trace', eventId, '--recipient', ben.id, '--json');
      assert.equal(told.code, 0, told.stderr);
      const value = JSON.parse(told.stdout) as Decided & { link: string; policiesNow: Decided['people'] };
      assert.deepEqual([value.archived, value.critical, value.decidedBy], [true, true, decidedBy]);
      assert.match(value.link, /^\d+\/archive\/\d+\/\d+$/);
      assert.deepEqual(
        value.policiesNow.map(one => one.person),
        [ana.id, ben.id, undefined],
      );
      assert.doesNotMatch(told.stdout, new RegExp(run));
    }
    const words = await administrator('trace', eventId.slice(ana.id.length + 1), '--sender', ana.address);
    assert.match(words.stdout, /critical mode/);
    for (const id of [unarchived, `${ana.id}.${crypto.randomUUID()}`]) {
      const told = await administrator('trace', id);
      assert.equal(told.code, 1, told.stdout + told.stderr);
      assert.match(told.stdout, /^not archived \(yet\)/);
    }
    assert.equal((await asBen('trace', eventId)).code, FORBIDDEN);
    assert.equal((await administrator('trace', crypto.randomUUID())).code, 2);
  },
};

interface Decided {
  readonly archived: boolean;
  readonly critical: boolean;
  readonly decidedBy: string;
  readonly people: readonly { readonly person?: string; readonly scope: string; readonly archiveInternal: boolean }[];
}

async function tool(world: World, name: string, address: string, password: string) {
  const dir = join(world.parley.dir, 'trace', name);
  mkdirSync(dir, { recursive: true });
  const login = ['login', address, '--server', world.parley.url, '--password-stdin'];
  assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
  return (...args: string[]) => parleyctl(dir, args);
}
