import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { credentials, Client as GrpcClient, Metadata, type ServiceError } from '@grpc/grpc-js';
import { type Bus, connectNatsBus, subjects } from '@parley/bus';
import { connectKafkaEventLog, type EventLog } from '@parley/event-log';
import { createMetrics, systemClock } from '@parley/runtime';
import { connectMongoStore } from '@parley/store';
import { createAuthority, type ParleyUnderTest, startParley, until } from '@parley/testkit';
import { type Faults, inWorld } from './scenario.ts';
import { HOLDERS, type Holder, type SecuredServers, startSecuredServers, TOPIC_PREFIX } from './secured/servers.ts';
import { startTraffic } from './traffic/traffic.ts';

const faults: Faults = { logDown: async () => undefined, logUp: async () => undefined };
const skip = process.env.PARLEY_TEST_MONGO_URL === undefined && 'needs servers';

describe('a pool whose servers trust nobody', { skip, timeout: 600_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'parley-secured-'));
  let servers: SecuredServers;
  let parley: ParleyUnderTest;

  before(async () => {
    servers = await startSecuredServers(dir);
    const { authority, natsUrl, kafkaBrokers, mongoUrl, secretsOf } = servers;
    const tls = { caFile: authority.caFile };
    const admin = (file: string) => join(secretsOf('admin'), file);
    parley = await startParley({
      topology: 'pool',
      tls: true,
      backends: { natsUrl, kafkaBrokers, mongoUrl },
      // for commands; each process has its own
      config: {
        presence: { graceMs: 30_000 },
        im: { keyVisibleMs: 3_000, reconcileMarginMs: 500 },
        pool: {
          nats: { nkeySeedFile: admin('nats-admin.seed'), tls },
          kafka: {
            topicPrefix: TOPIC_PREFIX,
            sasl: { mechanism: 'scram-sha-512', username: 'parley-admin', passwordFile: admin('kafka-admin') },
            tls,
          },
          mongo: { user: 'parley_admin', passwordFile: admin('mongo-admin'), tls },
        },
      },
      env: name => {
        const own = (file: string) => join(secretsOf(name.replace(/-\d+$/, '') as Holder), file);
        return {
          PARLEY_POOL_NATS_NKEY_SEED_FILE: own('nats-{service}.seed'),
          PARLEY_POOL_KAFKA_SASL_USERNAME: 'parley-{service}',
          PARLEY_POOL_KAFKA_SASL_PASSWORD_FILE: own('kafka-{service}'),
          PARLEY_POOL_MONGO_USER: 'parley_{service}',
          PARLEY_POOL_MONGO_PASSWORD_FILE: own('mongo-{service}'),
        };
      },
    });
  });
  const opened: { close(): Promise<void> }[] = [];
  function closedAfterwards<T extends { close(): Promise<void> }>(one: T): T {
    opened.push(one);
    return one;
  }
  afterEach(async () => {
    for (const one of opened.splice(0)) await one.close();
  });
  after(async () => {
    await parley?.stop();
    await servers?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const natsAs = async (holder: Holder, metrics = createMetrics({ defaults: false })): Promise<Bus> =>
    closedAfterwards(
      await connectNatsBus({
        ...{ servers: [servers.natsUrl], name: `test as ${holder}`, clock: systemClock, metrics },
        tls: { caFile: servers.authority.caFile },
        nkeySeedFile: join(servers.secretsOf(holder), `nats-${holder}.seed`),
      }),
    );
  const kafkaAs = async (user: string, passwordFile: string): Promise<EventLog> =>
    closedAfterwards(
      await connectKafkaEventLog({
        ...{ brokers: servers.kafkaBrokers, clientId: 'test', clock: systemClock, topicPrefix: TOPIC_PREFIX },
        ...{ tls: { caFile: servers.authority.caFile }, connectTimeoutMs: 2_000 },
        sasl: { mechanism: 'scram-sha-512', username: user, passwordFile },
      }),
    );

  it('works: people talk under all lanes, watch each other, and the archive holds and verifies', async () => {
    await inWorld(parley, faults, async world => {
      const traffic = await startTraffic(world, { pairs: 4, everyMs: 150 });
      await traffic.flows();
      await parley.replicasOf('im')[0]?.kill();
      await parley.replicasOf('im')[0]?.start();
      await traffic.flows();
      const report = await traffic.finish();
      assert.ok(report.archived > 0);
    });
    await parley.drain();
  });

  it('needs no right that it has not', async () => {
    assert.equal(await parley.metric('parley_bus_denied_total'), 0);
    for (const { log, name } of parley.processes)
      assert.doesNotMatch(log(), /AUTHORIZATION_FAILED|bus\.permission\.denied|Unauthorized/, name);
  });

  it('lets nobody but presence publish presence, nor anybody else anything that is not his, at NATS', async () => {
    const samples = {
      'presence.victim.friends': subjects.allPresence,
      'im.victim': subjects.allIm,
      'directory.changed.victim': subjects.allDirectoryChanged,
      'session.victim.cmd': subjects.allSessionCommands,
      'other.victim': '>',
    };
    const observer = await natsAs('session');
    const heard = new Set<string>();
    for (const pattern of Object.values(samples))
      observer.subscribe(pattern, ({ subject, data }) => {
        const from = Buffer.from(data).toString();
        if (from.startsWith('from ')) heard.add(`${from.slice('from '.length)}: ${subject.split('.')[0]}`);
      });
    await observer.flush();
    for (const holder of HOLDERS) {
      const metrics = createMetrics({ defaults: false });
      const bus = await natsAs(holder, metrics);
      for (const subject of Object.keys(samples)) bus.publish(subject, Buffer.from(`from ${holder}`));
      await bus.flush();
      await until(
        `${holder} to be told what he may not`,
        async () =>
          sumOf(await metrics.render(), 'parley_bus_denied_total') ===
          Object.keys(samples).length - (holder === 'archiving' ? 0 : 1),
      );
    }
    await observer.flush();
    assert.deepEqual([...heard].sort(), [
      'admin: directory',
      'directory: directory',
      'im: im',
      'presence: presence',
      'session: session',
    ]);
  });

  it('lets nobody hear at NATS what is not meant for him, and nobody in without a key or TLS', async () => {
    const metrics = createMetrics({ defaults: false });
    const im = await natsAs('im', metrics);
    for (const pattern of [subjects.allPresence, subjects.allIm, subjects.allSessionCommands, '>'])
      im.subscribe(pattern, () => assert.fail('im heard what is not meant for it'));
    const session = await natsAs('session');
    await im.flush();
    await until(
      'every subscription to be refused',
      async () => sumOf(await metrics.render(), 'parley_bus_denied_total') === 4,
    );
    session.publish('session.victim.cmd', Buffer.from('x'));
    await session.flush();
    await im.flush();
    const nobody = { ...{ servers: [servers.natsUrl], name: 'nobody', clock: systemClock }, connectTimeoutMs: 300 };
    await assert.rejects(connectNatsBus({ ...nobody, tls: { caFile: servers.authority.caFile } }), /uthoriz/);
    await assert.rejects(connectNatsBus({ ...nobody, tls: {} }), /certificate|self-signed/);
  });

  it('lets only im append to the log of the archive, and only archiving remove from it, at Kafka', async () => {
    const as = (holder: Holder) => kafkaAs(`parley-${holder}`, join(servers.secretsOf(holder), `kafka-${holder}`));
    const record = { key: 'k', value: Buffer.from('forged') };
    const [im, archiving, admin] = [await as('im'), await as('archiving'), await as('admin')];
    const highest = async () => (await archiving.ends('archive')).reduce((sum, { high }) => sum + high, 0);
    const before = await highest();
    for (const log of [archiving, admin]) await assert.rejects(log.append('archive', [record]), { outcome: 'refused' });
    assert.equal(await highest(), before);
    const { partition, low, high } = (await archiving.ends('archive')).find(ends => ends.high > 0) ?? assert.fail();
    for (const log of [im, admin])
      await assert.rejects(log.trim('archive', partition, high), /TOPIC_AUTHORIZATION_FAILED/);
    assert.equal((await archiving.ends('archive'))[partition]?.low, low);
    await assert.rejects(im.createTopics([{ name: 'mine', partitions: 1 }]), /authoriz/i);
    await assert.rejects(im.committed('archive', 'somebody-else'), { code: 'unavailable' });
    await archiving.trim('archive', partition, high);
    assert.equal((await archiving.ends('archive'))[partition]?.low, high);
    const wrong = join(servers.secretsOf('im'), 'mongo-im');
    await assert.rejects(kafkaAs('parley-im', wrong), { code: 'unavailable' });
    await assert.rejects(kafkaAs('parley-presence', join(servers.secretsOf('presence'), 'kafka-presence')), {
      code: 'unavailable',
    });
  });

  it('lets nobody into the database without a password and TLS', async () => {
    const place = servers.mongoUrl.replace('mongodb://', '');
    const ca = `tls=true&tlsCAFile=${encodeURIComponent(servers.authority.caFile)}`;
    const password = encodeURIComponent('mongo of im');
    const dial = async (url: string) => {
      const store = await connectMongoStore({
        url,
        database: 'elsewhere',
        clock: systemClock,
        serverSelectionMs: 1_000,
      });
      const things = { name: 'things', indexes: {} } as const;
      try {
        await store.migrate([things]);
      } finally {
        await store.close();
      }
    };
    await dial(`mongodb://parley_im:${password}@${place}/?${ca}`);
    await assert.rejects(
      dial(`mongodb://parley_im:wrong@${place}/?${ca}`),
      /refuses the service's user or his password/,
    );
    await assert.rejects(dial(`mongodb://${place}/?${ca}`));
    await assert.rejects(dial(`mongodb://parley_im:${password}@${place}/?tls=true`));
    await assert.rejects(dial(`mongodb://parley_im:${password}@${place}/`));
  });

  it('lets no process call another one without a certificate of the pool, and none without a token', async () => {
    const { services } = JSON.parse(readFileSync(join(parley.dir, 'parley.yaml'), 'utf8')) as {
      readonly services: { readonly directory: readonly [string, ...string[]] };
    };
    const target = services.directory[0].replace('127.0.0.1', 'localhost');
    const file = (name: string) => readFileSync(join(parley.dir, name));
    const ca = Buffer.from((parley.authority ?? assert.fail()).ca);
    const stranger = createAuthority(dir, 'stranger-ca').issue('stranger');
    const call = (creds: ReturnType<typeof credentials.createSsl>) =>
      new Promise<ServiceError | null>(done => {
        const client = new GrpcClient(target, creds);
        const method = '/parley.directory.v1.DirectoryInternalService/GetPrincipals';
        const bytes = (value: Buffer) => value;
        client.makeUnaryRequest(
          method,
          bytes,
          bytes,
          Buffer.alloc(0),
          new Metadata(),
          { deadline: Date.now() + 5_000 },
          error => {
            client.close();
            done(error);
          },
        );
      });
    const without = await call(credentials.createSsl(ca));
    assert.equal(without?.code, 14, String(without));
    const strange = await call(
      credentials.createSsl(ca, readFileSync(stranger.keyFile), readFileSync(stranger.certFile)),
    );
    assert.equal(strange?.code, 14, String(strange));
    const member = await call(credentials.createSsl(ca, file('server.key'), file('server.pem')));
    assert.equal(member?.code, 16, `with a certificate the token is asked for: ${String(member)}`);
    const plain = await call(credentials.createInsecure() as never);
    assert.equal(plain?.code, 14, String(plain));
  });
});

function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter(line => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
