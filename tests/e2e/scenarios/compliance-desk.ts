import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Role } from '@parley/contracts';
import { until } from '@parley/testkit';
import { parleyctl } from '../parleyctl.ts';
import { receives, refused, type Scenario, type TestPerson, type World } from '../scenario.ts';

const FORBIDDEN = 4;

export const complianceDesk: Scenario = {
  name: 'the compliance officer finds, reads and exports what was said, in any script; every look is written down, and nobody else gets one',
  async run(world) {
    const run = crypto.randomUUID().slice(0, 8);
    const caseId = `HR-${run}`;
    const why = ['--case', caseId, '--reason', `投訴 about ${run}`];
    const [mei, tom] = [await world.person('林美玲'), await world.person('Tom Okafor')];
    for (const person of [mei, tom])
      await world.archiving(person, { archiveInternal: true, archiveExternal: true, critical: false });
    const texts = [
      `The budget ${run} is ready`,
      `明天下午在第二會議室討論${run}預算 👍🏽`,
      `See you there ${run} 🎉`,
      `Nothing of this ${run}`,
    ];
    const records = await talk(world, mei, tom, texts);

    const officer = await signIn(world, 'officer', [Role.COMPLIANCE_OFFICER]);
    const auditor = await signIn(world, 'auditor', [Role.AUDITOR]);
    const { address, password } = world.parley.administrator;
    const administrator = await tool(world, 'administrator', address, password);
    let looks = 0;
    const search = async (...args: string[]) => {
      looks++;
      const { records } = await officer.json<{ records: Found[] }>('archive', 'search', ...why, '--json', ...args);
      return records;
    };
    const textsOf = async (...args: string[]) => (await search(...args)).map(found => found.text);

    await until('everything to be indexed', async () => (await search('--words', run)).length === texts.length, {
      timeoutMs: 60_000,
    });
    assert.deepEqual(await textsOf('--words', run), texts.toReversed());
    assert.deepEqual(await textsOf('--words', `會議室 ${run}預算`), [texts[1]]);
    assert.deepEqual(await textsOf('--words', `🎉 ${run}`), [texts[2]]);
    assert.deepEqual(await textsOf('--words', `budgets ${run}`), []);
    assert.deepEqual((await textsOf('--person', mei.address)).sort(), texts.toSorted());
    assert.equal((await textsOf('--person', mei.address, '--person', tom.id)).length, texts.length);
    assert.deepEqual(await textsOf('--person', mei.address, '--until', '2020-01-01'), []);
    const [first, second] = await search('--words', run);
    assert.equal(first?.sender?.displayName, tom.displayName);
    assert.deepEqual(
      [first.state, first.recipients.map(person => person.address), second?.record],
      ['archived', [mei.address], records[2]],
    );

    looks++;
    const seen = await officer.json<{ records: Found[] }>(
      ...['archive', 'view', ...why, '--json', records[1] as string, '--before', '1', '--after', '1'],
    );
    assert.deepEqual(
      seen.records.map(found => found.text),
      texts.slice(0, 3),
    );

    // a person stays the same under another name
    const renamed = `renamed.${run}@parley.example`;
    const { directoryAdmin } = (await world.administrator()).services;
    await directoryAdmin.renamePerson({ person: mei.id, primaryAddress: renamed, displayName: '林美玲 Mei' });
    for (const name of [renamed, mei.address]) assert.equal((await textsOf('--person', name)).length, texts.length);

    const exports = [];
    for (const format of ['eml', 'jsonl']) {
      const dir = join(officer.dir, `export-${format}`);
      const made = await officer.json<{ records: number; keyId: string; manifestHash: string }>(
        ...['archive', 'export', ...why, '--format', format, '--words', run, '--json', dir],
      );
      assert.equal(made.records, texts.length);
      exports.push({ dir, ...made });
      const key = join(officer.dir, 'key.pub');
      writeFileSync(key, (await officer.ctl('archive', 'key')).stdout);
      // anybody may check it, without a server
      const check = () => parleyctl(join(officer.dir, 'nobody'), ['archive', 'verify-export', dir, '--key', key]);
      const good = await check();
      assert.equal(good.code, 0, good.stdout);
      const { files } = JSON.parse(readFileSync(join(dir, 'manifest.json'), 'utf8')) as { files: { path: string }[] };
      const file = join(dir, files[0]?.path ?? '');
      const bytes = readFileSync(file);
      if (format === 'jsonl') assert.deepEqual(linesOf(bytes), texts);
      appendFileSync(file, ' ');
      assert.equal((await check()).code, 1, 'a byte more is found');
      writeFileSync(file, bytes);
      assert.equal((await check()).code, 0);
      writeFileSync(join(dir, 'added.txt'), 'x');
      assert.equal((await check()).code, 1, 'a file more is found');
    }

    for (const args of [
      ['archive', 'search', ...why],
      ['archive', 'view', ...why, records[0] as string],
      ['archive', 'export', ...why, join(administrator.dir, 'never')],
    ]) {
      assert.equal((await administrator.ctl(...args)).code, FORBIDDEN, args.join(' '));
      assert.equal((await auditor.ctl(...args)).code, FORBIDDEN, args.join(' '));
    }
    for (const args of [
      ['audit', 'list'],
      ['audit', 'verify'],
      ['archive', 'verify'],
    ])
      assert.equal((await administrator.ctl(...args)).code, FORBIDDEN, args.join(' '));
    assert.equal((await auditor.ctl('archive', 'status')).code, FORBIDDEN);
    assert.equal((await officer.ctl('audit', 'list')).code, FORBIDDEN);
    const status = await administrator.ctl('archive', 'status', '--json');
    assert.equal(status.code, 0, status.stderr);
    assert.ok((JSON.parse(status.stdout) as { exceptions: number }).exceptions > 0);
    const { discovery } = (await world.complianceOfficer()).services;
    await refused(discovery.search({ purpose: { caseId, reason: '' } }), 'archive.field_missing');
    await refused(discovery.search({ purpose: { caseId, reason: 'x' }, cursor: 'made up' }), 'archive.cursor_invalid');

    const entries = await auditor.json<Entry[]>('audit', 'list', '--case', caseId, '--limit', '1000', '--json');
    const count = (action: string) => entries.filter(entry => entry.action === action).length;
    assert.deepEqual([count('search') + count('view'), count('export'), count('export_done')], [looks, 2, 2]);
    assert.equal(entries.length, looks + 4, 'exactly what was done, and nothing else');
    assert.ok(entries.every(entry => entry.person.address === officer.person && entry.reason.startsWith('投訴')));
    assert.deepEqual(
      entries.filter(entry => entry.action === 'export_done').map(entry => entry.outcome['manifest_sha256']),
      exports.map(made => made.manifestHash).reverse(),
    );
    for (const reader of [auditor, officer]) {
      const verdict = await reader.json<{ intact: boolean; entries: number; checkpointed: number }>(
        ...['audit', 'verify', '--json'],
      );
      assert.equal(verdict.intact, true);
      assert.ok(verdict.entries >= entries.length && verdict.checkpointed === verdict.entries);
    }
  },
};

interface Found {
  readonly record: string;
  readonly state: string;
  readonly text: string;
  readonly sender?: { readonly displayName: string };
  readonly recipients: readonly { readonly address: string }[];
}

interface Entry {
  readonly action: string;
  readonly reason: string;
  readonly person: { readonly address: string };
  readonly outcome: Readonly<Record<string, unknown>>;
}

/** Says the texts in turn, each after the one before has arrived; ids of the events. */
async function talk(world: World, a: TestPerson, b: TestPerson, texts: readonly string[]): Promise<readonly string[]> {
  const devices = [await world.device(a), await world.device(b)] as const;
  const ids: string[] = [];
  for (const [i, text] of texts.entries()) {
    const [from, to] = i % 2 === 0 ? devices : [devices[1], devices[0]];
    ids.push((await from.client.send(to.person.id, text).acknowledged).eventId);
    await receives(to, text);
  }
  return ids;
}

const linesOf = (bytes: Buffer): readonly string[] =>
  String(bytes)
    .trimEnd()
    .split('\n')
    .map(line => (JSON.parse(line) as { text: string }).text);

/** The command line of a new person with these roles. */
async function signIn(world: World, name: string, roles: readonly Role[]) {
  const person = await world.person(name, roles);
  return await tool(world, name, person.address, person.password);
}

async function tool(world: World, name: string, address: string, password: string) {
  const dir = join(world.parley.dir, 'desk', name);
  mkdirSync(dir, { recursive: true });
  const login = ['login', address, '--server', world.parley.url, '--password-stdin'];
  assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
  const ctl = (...args: string[]) => parleyctl(dir, args);
  return {
    dir,
    person: address,
    ctl,
    /** What a command that works prints. */
    async json<T>(...args: string[]): Promise<T> {
      const { code, stdout, stderr } = await ctl(...args);
      assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
      return JSON.parse(stdout) as T;
    },
  };
}
