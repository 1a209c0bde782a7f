import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { subjects } from '@parley/bus';
import { parleyConfigSchema } from '../config.ts';
import { program } from '../program.ts';
import { TARGET_NAMES } from '../routes.ts';
import { TARGETS } from '../targets.ts';
import { type KafkaAcl, kafkaAclScript, kafkaAcls } from './kafka.ts';
import { MONGO_HOLDERS, mongoPrivileges, mongoScript } from './mongo.ts';
import { natsPermissions } from './nats.ts';
import { HOLDERS, type Holder, rightsOf, rightsOfAll, usesEventLog } from './rights.ts';

const config = parleyConfigSchema.parse({
  pool: { kafka: { topicPrefix: 'north.' }, mongo: { databasePrefix: 'n_' } },
});
const dir = mkdtempSync(join(tmpdir(), 'parley-rights-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const who = (test: (holder: Holder) => boolean) => HOLDERS.filter(test);

describe('the table of rights', () => {
  it('lets each kind of news be told by its owner alone', () => {
    const publishers = (pattern: string) => who(holder => rightsOf(holder, config).publishes.includes(pattern));
    assert.deepEqual(publishers(subjects.allPresence), ['presence']);
    assert.deepEqual(publishers(subjects.allIm), ['im']);
    assert.deepEqual(publishers(subjects.allSessionCommands), ['session']);
    assert.deepEqual(publishers(subjects.allDirectoryChanged), ['directory', 'admin']);
  });

  it('is what the sources of each service do, no more and no less', () => {
    const root = resolve(import.meta.dirname, '../../../..');
    const patterns: Readonly<Record<string, string>> = {
      presence: subjects.allPresence,
      im: subjects.allIm,
      directoryChanged: subjects.allDirectoryChanged,
      sessionCommand: subjects.allSessionCommands,
    };
    const patternOf = (name: string) => patterns[name] ?? (subjects as unknown as Record<string, string>)[name];
    for (const service of TARGET_NAMES) {
      const files = globSync(`services/${service}/src/{adapters,consumers}/**/*.ts`, { cwd: root });
      const text = files.map(file => readFileSync(join(root, file), 'utf8')).join('\n');
      const names = (found: RegExp) => new Set([...text.matchAll(found)].map(match => patternOf(match[1] as string)));
      const publishes = names(/publish\(\s*subjects\.(\w+)/g);
      const subscribes = names(/(?<!publish\(\s*)subjects\.(\w+)/g);
      const rights = rightsOf(service, config);
      assert.deepEqual([...publishes].sort(), [...rights.publishes].sort(), `${service} publishes`);
      assert.deepEqual([...subscribes].sort(), [...rights.subscribes].sort(), `${service} subscribes`);
    }
  });

  it('lets only im write the log of the archive, only archiving remove from it, and others not near it', () => {
    const withRight = (right: 'appends' | 'trims' | 'joins') =>
      who(holder => rightsOf(holder, config)[right].some(name => name === 'archive' || name === 'archiving'));
    assert.deepEqual(withRight('appends'), ['im']);
    assert.deepEqual(withRight('trims'), ['archiving']);
    assert.deepEqual(withRight('joins'), ['archiving']);
    assert.deepEqual(
      TARGET_NAMES.filter(name => usesEventLog([name], config)),
      ['im', 'archiving'],
    );
    assert.equal(usesEventLog(['session', 'archiving'], config), true);
  });

  it('adds up for services that share a process', () => {
    const { publishes, subscribes } = rightsOfAll(['im', 'session'], config);
    assert.deepEqual(publishes, [subjects.allIm, subjects.allSessionCommands]);
    assert.equal(new Set(subscribes).size, subscribes.length);
  });
});

describe('the permissions for NATS', () => {
  it('are a user for each process, who is allowed nothing when he needs nothing', () => {
    const text = natsPermissions(
      [
        { holders: ['directory'], proof: { kind: 'password' } },
        { holders: ['im', 'session'], proof: { kind: 'nkey', publicKey: 'UABC' } },
      ],
      config,
    );
    assert.match(text, /user: "parley-directory"\n +password: \$PARLEY_NATS_DIRECTORY\n/);
    assert.match(text, /publish: \{ allow: \["directory\.changed\.\*"\] \}\n +subscribe: \{ deny: ">" \}/);
    assert.match(text, /nkey: UABC # parley-im\+session\n/);
    assert.match(text, /publish: \{ allow: \["im\.\*", "session\.\*\.cmd"\] \}/);
  });

  it('come with keys that are made once and can be read by their owner only', async () => {
    const print = async (...args: string[]) => {
      const written: string[] = [];
      const { write } = process.stdout;
      process.stdout.write = ((text: string) => written.push(text) > 0) as typeof write;
      try {
        await program()
          .exitOverride()
          .parseAsync(['print-nats-permissions', ...args], { from: 'user' });
      } finally {
        process.stdout.write = write;
      }
      return written.join('');
    };
    const seeds = join(dir, 'seeds');
    const args = ['--data-dir', dir, '--nkeys', seeds, '--process', 'im,archiving'];
    const first = await print(...args);
    assert.deepEqual(readdirSync(seeds).sort(), [
      ...[
        'nats-admin.seed',
        'nats-directory.seed',
        'nats-im+archiving.seed',
        'nats-presence.seed',
        'nats-session.seed',
      ],
    ]);
    for (const name of readdirSync(seeds)) assert.equal(statSync(join(seeds, name)).mode & 0o777, 0o600);
    assert.equal(await print(...args), first);
    assert.equal(first.match(/nkey: U[A-Z2-7]{55} /g)?.length, 5);
    writeFileSync(join(seeds, 'nats-admin.seed'), 'no seed');
    await assert.rejects(print(...args), /nats-admin\.seed: a seed of a NATS user/);
  });
});

describe('the rights at Kafka', () => {
  const acls = kafkaAcls(
    HOLDERS.map(holder => [holder]),
    config,
  );

  it('are those of the table, with the prefix of the installation', () => {
    const of = (user: string) => acls.filter(acl => acl.user === `parley-${user}`);
    assert.deepEqual(of('im'), [
      { user: 'parley-im', resource: 'topic', name: 'north.archive', operations: ['Describe', 'Read', 'Write'] },
      { user: 'parley-im', resource: 'group', name: 'north.im-reconcile', operations: ['Describe', 'Read'] },
      { user: 'parley-im', resource: 'group', name: 'north.archiving', operations: ['Describe'] },
    ]);
    for (const user of ['directory', 'presence', 'session']) assert.deepEqual(of(user), []);
    const deleters = acls.filter(acl => acl.operations.includes('Delete')).map(({ user }) => user);
    assert.deepEqual(deleters, ['parley-archiving']);
  });

  it('are what the script asks for', () => {
    const recorder = join(dir, 'kafka-acls');
    writeFileSync(recorder, `#!/bin/sh\nprintf '%s\\t' "$@" >>"${dir}/asked"\necho >>"${dir}/asked"\n`);
    chmodSync(recorder, 0o700);
    writeFileSync(join(dir, 'acls.sh'), kafkaAclScript(acls));
    execFileSync('sh', [join(dir, 'acls.sh'), '--bootstrap-server', 'k:9092'], { env: { KAFKA_ACLS: recorder } });
    const asked = readFileSync(join(dir, 'asked'), 'utf8').trimEnd().split('\n');
    const parsed = asked.map((line): KafkaAcl => {
      const args = line.trimEnd().split('\t');
      assert.deepEqual(args.slice(0, 3), ['--bootstrap-server', 'k:9092', '--add']);
      const after = (flag: string) => args.flatMap((arg, i) => (arg === flag ? [args[i + 1] as string] : []));
      const [topic, group] = [after('--topic')[0], after('--group')[0]];
      return {
        user: after('--allow-principal')[0]?.replace('User:', '') ?? '',
        resource: topic === undefined ? 'group' : 'topic',
        name: topic ?? group ?? '',
        operations: after('--operation'),
      };
    });
    assert.deepEqual(parsed, acls);
  });
});

describe('the rights at MongoDB', () => {
  const writers = (database: string) =>
    [...MONGO_HOLDERS, 'import' as const].filter(holder =>
      mongoPrivileges(holder, config).some(
        p => p.database === database && p.actions.some(action => ['insert', 'update', 'remove'].includes(action)),
      ),
    );

  it('let a service write its own collections, and only archiving the archive', () => {
    assert.deepEqual(writers('n_archiving'), ['archiving', 'import']);
    assert.deepEqual(writers('n_im'), ['im', 'import']);
    assert.deepEqual(writers('n_presence'), ['presence', 'import']);
    assert.deepEqual(writers('n_directory'), ['directory', 'admin', 'import']);
    const own = mongoPrivileges('archiving', config).filter(p => p.database === 'n_archiving');
    assert.deepEqual(
      own.map(p => p.collection),
      TARGETS.archiving.collections.map(c => c.name),
    );
    const builders = MONGO_HOLDERS.filter(holder =>
      mongoPrivileges(holder, config).some(p => p.actions.includes('createIndex')),
    );
    assert.deepEqual(builders, ['admin'], 'no service changes the structure');
  });

  it('are what the script makes, once, and brings up to date', () => {
    const roles = new Map<string, { privileges: unknown; roles: unknown[] }>();
    const users = new Map<string, { pwd?: string; roles: unknown }>();
    const admin = {
      getRole: (name: string) => roles.get(name) ?? null,
      createRole: ({ role, ...rest }: { role: string; privileges: unknown; roles: unknown[] }) => {
        assert.ok(!roles.has(role));
        roles.set(role, rest);
      },
      updateRole: (role: string, rest: { privileges: unknown; roles: unknown[] }) => void roles.set(role, rest),
      getUser: (name: string) => users.get(name) ?? null,
      createUser: ({ user, ...rest }: { user: string; pwd: string; roles: unknown }) => {
        assert.ok(!users.has(user));
        users.set(user, rest);
      },
      updateUser: (user: string, rest: object) =>
        users.set(user, { ...(users.get(user) as { roles: unknown }), ...rest }),
    };
    const context = {
      db: { getSiblingDB: (name: string) => (name === 'admin' ? admin : assert.fail(name)) },
      process: { env: { PARLEY_IM: 'from the environment' } },
      passwordPrompt: () => 'asked for',
      print: () => undefined,
    };
    const script = mongoScript(MONGO_HOLDERS, config);
    runInNewContext(script, { ...context });
    assert.deepEqual(
      [...users.keys()],
      MONGO_HOLDERS.map(holder => `parley_${holder}`),
    );
    assert.equal(users.get('parley_im')?.pwd, 'from the environment');
    assert.equal(users.get('parley_session')?.pwd, 'asked for');
    roles.set('parley_im', { privileges: [], roles: ['root'] });
    runInNewContext(script, { ...context });
    // what comes out of another context has other prototypes
    assert.deepEqual(JSON.parse(JSON.stringify(roles.get('parley_im'))), {
      privileges: mongoPrivileges('im', config).map(({ database, collection, actions }) => ({
        resource: { db: database, collection },
        actions,
      })),
      roles: [],
    });
    assert.equal(users.get('parley_im')?.pwd, 'from the environment');
  });
});
