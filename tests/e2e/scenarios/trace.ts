import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DeviceType, MachineState, PreferredAvailability } from '@parley/client';
import { Role } from '@parley/contracts';
import { parleyctl } from '../parleyctl.ts';
import { type Scenario, sees, type TestPerson, type World } from '../scenario.ts';

const FORBIDDEN = 4;

export const trace: Scenario = {
  name: 'an administrator sees which policy decides, where a message stands and whom it is for, and why somebody is seen as he is, but never what is said',
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
    const phone = crypto.randomUUID();
    await world.device(ben, { device: DeviceType.MOBILE, endpointId: phone });
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
      const value = JSON.parse(told.stdout) as Traced;
      assert.deepEqual([value.archived, value.critical, value.decidedBy], [true, true, decidedBy]);
      assert.match(value.link, /^\d+\/archive\/\d+\/\d+$/);
      const [epoch, topic, partition, offset] = value.link.split('/');
      assert.deepEqual(
        [value.epoch, value.topic, value.partition, value.offset, value.lane, value.scope],
        [Number(epoch), topic, Number(partition), Number(offset), 'critical', 'person'],
      );
      assert.deepEqual(
        value.policiesNow.map(one => one.person),
        [ana.id, ben.id, undefined],
      );
      assert.doesNotMatch(told.stdout, new RegExp(run));
    }
    // the archive names recipients, presence their devices, each to those whom it concerns
    const traced = JSON.parse((await administrator('trace', eventId, '--json')).stdout) as Traced;
    assert.deepEqual(
      traced.recipients.map(one => [one.person, one.devices?.map(d => [d.id, d.device, d.delivery])]),
      [[ben.id, [[phone, 'mobile', 'pushed']]]],
    );
    assert.deepEqual((JSON.parse((await asViewer('trace', eventId, '--json')).stdout) as Traced).recipients, []);
    const words = await administrator('trace', eventId.slice(ana.id.length + 1), '--sender', ana.address);
    assert.match(words.stdout, /lane {8}critical: /);
    for (const id of [unarchived, `${ana.id}.${crypto.randomUUID()}`]) {
      const told = await administrator('trace', id);
      assert.equal(told.code, 1, told.stdout + told.stderr);
      assert.match(told.stdout, /^not archived \(yet\)/);
    }
    assert.equal((await asBen('trace', eventId)).code, FORBIDDEN);
    assert.equal((await administrator('trace', crypto.randomUUID())).code, 2);
    await explainsPresence(world, [ana, ben], administrator, [asViewer, asBen]);
  },
};

/** Ben sits at his desk with his phone beside it and is busy. */
async function explainsPresence(
  world: World,
  [ana, ben]: readonly [TestPerson, TestPerson],
  administrator: Tool,
  others: readonly Tool[],
): Promise<void> {
  const run = crypto.randomUUID();
  const laptop = await world.device(ben, { endpointId: run });
  await laptop.client.reportActivity(MachineState.ACTIVE);
  await laptop.client.setPresence(PreferredAvailability.BUSY);
  await laptop.client.setNote('back soon');
  const desk = await world.device(ana);
  await desk.client.watch([ben.id]);
  await sees(desk.client, ben.id, 6000, 7500);
  const told = await administrator('explain', 'presence', ana.address, ben.address, '--json');
  assert.equal(told.code, 0, told.stderr);
  const value = JSON.parse(told.stdout) as ExplainedPresence;
  assert.deepEqual(
    [value.level, value.container, value.decidedBy, value.choice.state, value.aggregate.source, value.withheld],
    ['colleagues', 200, { rule: 'same-enterprise', default: true }, 'busy', 'choice-and-device', []],
  );
  assert.deepEqual(value.endpoints.map(one => [one.id, one.device, one.decides, one.outcome]).slice(0, 1), [
    [run, 'computer', true, 'kind-first'],
  ]);
  // what is explained is what she sees, but for what the note says
  const shown = desk.client.presence.of(ben.id).getSnapshot();
  assert.deepEqual([value.sees.availability, value.sees.noteShown], [shown.availability, shown.note !== '']);
  const words = await administrator('explain', 'presence', ana.id, ben.id);
  assert.match(words.stdout, /sees Ben Katz as busy \(computer\), with a note\.\n/);
  assert.match(words.stdout, /decided {4}by the entry for the organisation, which everybody has/);
  assert.doesNotMatch(told.stdout + words.stdout, /back soon/);
  for (const other of others) assert.equal((await other('explain', 'presence', ana.id, ben.id)).code, FORBIDDEN);
}

interface Traced extends Decided {
  readonly link: string;
  readonly epoch: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly lane: string;
  readonly scope: string;
  readonly policiesNow: Decided['people'];
  readonly recipients: readonly {
    readonly person: string;
    readonly devices?: readonly { readonly id: string; readonly device: string; readonly delivery: string }[];
  }[];
}

interface ExplainedPresence {
  readonly level: string;
  readonly container: number;
  readonly decidedBy: object;
  readonly choice: { readonly state: string };
  readonly aggregate: { readonly source: string };
  readonly withheld: readonly string[];
  readonly endpoints: readonly {
    readonly id: string;
    readonly device: string;
    readonly decides: boolean;
    readonly outcome: string;
  }[];
  readonly sees: { readonly availability: number; readonly noteShown: boolean };
}

interface Decided {
  readonly archived: boolean;
  readonly critical: boolean;
  readonly decidedBy: string;
  readonly people: readonly { readonly person?: string; readonly scope: string; readonly archiveInternal: boolean }[];
}

type Tool = Awaited<ReturnType<typeof tool>>;

async function tool(world: World, name: string, address: string, password: string) {
  const dir = join(world.parley.dir, 'trace', name);
  mkdirSync(dir, { recursive: true });
  const login = ['login', address, '--server', world.parley.url, '--password-stdin'];
  assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
  return (...args: string[]) => parleyctl(dir, args);
}
