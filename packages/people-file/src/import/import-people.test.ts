import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type ImportOptions,
  importPeople,
  type PeopleRow,
  type Problem,
  type RowOutcome,
  readPeopleFile,
} from '../index.ts';

/** A directory that keeps people by address and knows managers by address. */
function directory() {
  const people = new Map<string, PeopleRow>();
  const calls: number[] = [];
  let underWay = 0;
  let most = 0;
  const outcome = (action: RowOutcome['action'], rest: Partial<RowOutcome> = {}): RowOutcome => ({
    action,
    personId: action === 'refused' ? '' : 'id',
    changed: [],
    code: '',
    field: '',
    message: '',
    ...rest,
  });
  function one(row: PeopleRow, dryRun: boolean): RowOutcome {
    const before = people.get(row.address);
    const known = (reference: string) =>
      [...people.values()].some(p => p.address === reference || p.externalId === reference);
    if (row.manager && !known(row.manager))
      return outcome('refused', {
        code: 'directory.manager_not_found',
        field: 'manager',
        message: 'there is no such person',
      });
    if (!before && row.displayName === undefined)
      return outcome('refused', {
        code: 'directory.field_missing',
        field: 'display_name',
        message: 'a value is needed',
      });
    const next = { ...before, ...row };
    if (JSON.stringify(next) === JSON.stringify(before)) return outcome('unchanged');
    if (!dryRun) people.set(row.address, next);
    return outcome(before ? 'updated' : 'created');
  }
  const send =
    (dryRun = false): ImportOptions['send'] =>
    async rows => {
      calls.push(rows.length);
      most = Math.max(most, ++underWay);
      await new Promise(resolve => setImmediate(resolve));
      underWay--;
      return rows.map(row => one(row, dryRun));
    };
  return { people, calls, send, most: () => most };
}

async function run(text: string, options: Partial<ImportOptions> & Pick<ImportOptions, 'send'>) {
  const problems: Problem[] = [];
  const counts = await importPeople(readPeopleFile([Buffer.from(text)]), {
    onProblem: found => problems.push(found),
    ...options,
  });
  return { counts, problems: problems.map(p => `${p.line} ${p.field} ${p.code}`) };
}
const count = (some: object) => ({
  rows: 0,
  created: 0,
  updated: 0,
  unchanged: 0,
  refused: 0,
  managersRefused: 0,
  skipped: 0,
  ...some,
});

const TEAM = [
  'mail,name,manager,employee id',
  'ann@x.example,Ann,cat@x.example,1', // her manager comes later
  'bob@x.example,Bob,3,2', // by external id
  'cat@x.example,Cat,,3',
].join('\n');

describe('an import', () => {
  it('sets managers whatever the order of the file is, and changes nothing the second time', async () => {
    const here = directory();
    const first = await run(TEAM, { send: here.send() });
    assert.deepEqual(first, { counts: count({ rows: 3, created: 3 }), problems: [] });
    assert.deepEqual(
      [here.people.get('ann@x.example')?.manager, here.people.get('bob@x.example')?.manager],
      ['cat@x.example', '3'],
    );
    assert.deepEqual((await run(TEAM, { send: here.send() })).counts, count({ rows: 3, unchanged: 3 }));
    const moved = await run(TEAM.replace('Ann,cat', 'Ann,bob'), { send: here.send() });
    assert.deepEqual(moved.counts, count({ rows: 3, unchanged: 2, updated: 1 }));
  });

  it('says as if what it would do, with managers that it would make', async () => {
    const here = directory();
    const before = await run(TEAM, { send: here.send(true), dryRun: true });
    assert.deepEqual(before, { counts: count({ rows: 3, created: 3 }), problems: [] });
    assert.equal(here.people.size, 0);
    await run(TEAM, { send: here.send() });
    const more = `${TEAM}\ndan@x.example,Dan,,4\neve@x.example,Eve,nobody,5\n`.replace('Ann,cat', 'Ann,dan');
    assert.deepEqual(await run(more, { send: here.send(true), dryRun: true }), {
      counts: count({ rows: 5, created: 2, updated: 1, unchanged: 2, managersRefused: 1 }),
      problems: ['6 manager directory.manager_not_found'],
    });
  });

  it('imports the rest when rows are refused, by the file or by the directory', async () => {
    const here = directory();
    const text = `mail,name,manager\na@x.example,A,gone@x.example\nb@x.example,"B" b,\nc@x.example,,\nA@X.example,again,\nd@x.example,D,\n`;
    assert.deepEqual(await run(text, { send: here.send() }), {
      counts: count({ rows: 5, created: 2, refused: 3, managersRefused: 1 }),
      problems: [
        '3 row people_file.quote_misplaced',
        '4 display_name directory.field_missing',
        '5 address people_file.duplicate',
        '2 manager directory.manager_not_found',
      ],
    });
  });

  it('finds managers by their names in the directory that the file comes from', async () => {
    const here = directory();
    const entry = (name: string, manager: string) =>
      `dn: uid=${name},dc=x\nobjectClass: person\ncn: ${name}\nmail: ${name}@x.example\nmanager: ${manager}\n`;
    const text = [
      entry('ann', 'UID=cat, DC=x'),
      entry('cat', 'uid=gone,dc=x'),
      'dn: ou=x\nobjectClass: organizationalUnit\n',
    ].join('\n');
    assert.deepEqual(await run(text, { send: here.send() }), {
      counts: count({ rows: 2, created: 2, managersRefused: 1, skipped: 1 }),
      problems: ['7 manager people_file.manager_not_in_file'],
    });
    assert.equal(here.people.get('ann@x.example')?.manager, 'cat@x.example');
  });

  it('sends calls of a bounded size, a few at once, and tells outcomes in the order of the file', async () => {
    const here = directory();
    const rows = Array.from({ length: 1_001 }, (_, i) => `p${i}@x.example,P${i}`);
    const lines: number[] = [];
    const options = { onRow: (item: { line: number }) => void lines.push(item.line), batchRows: 100, concurrency: 3 };
    await run(['mail,name', ...rows].join('\n'), { send: here.send(), ...options });
    assert.deepEqual(here.calls, [...Array.from({ length: 10 }, () => 100), 1]);
    assert.equal(here.most(), 3);
    assert.deepEqual(
      lines,
      Array.from({ length: 1_001 }, (_, i) => i + 2),
    );
    here.calls.length = 0;
    await run(['mail,name', ...rows.slice(0, 10)].join('\n'), { send: here.send(), batchBytes: 300 });
    assert.ok(here.calls.length >= 5 && Math.max(...here.calls) <= 2, String(here.calls));
    here.calls.length = 0;
    await run(['mail,name,password', ...rows.slice(0, 50).map(row => `${row},a long password`)].join('\n'), {
      send: here.send(),
    });
    assert.deepEqual(here.calls, [25, 25], 'passwords take the directory time');
  });

  it('ends when sending fails, after what is under way, and when it is told to', async () => {
    const here = directory();
    let calls = 0;
    let created = 0;
    const send: ImportOptions['send'] = async rows => {
      if (++calls === 2) throw new Error('the server is gone');
      return here.send()(rows);
    };
    const text = ['mail,name', ...Array.from({ length: 9 }, (_, i) => `p${i}@x.example,P`)].join('\n');
    const options = {
      send,
      batchRows: 2,
      concurrency: 2,
      onProgress: (c: { created: number }) => void (created = c.created),
    };
    await assert.rejects(run(text, options), /the server is gone/);
    assert.deepEqual([calls, created, here.people.size], [3, 4, 4]);
    const stop = AbortSignal.abort(new Error('enough'));
    await assert.rejects(run(text, { send: here.send(), signal: stop }), /enough/);
  });
});
