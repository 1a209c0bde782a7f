import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError, loadConfig } from '@parley/runtime';
import { createAuthority, type TestAuthority } from '@parley/testkit';
import { checkConfig } from './check-config.ts';
import { parleyConfigSchema } from './config.ts';
import { hideSecrets } from './hide-secrets.ts';
import { kafkaOptions, mongoUrl, natsOptions } from './pool-options.ts';

const DAY = 24 * 3600 * 1000;

describe('a configuration is checked', () => {
  let dir: string;
  let authority: TestAuthority;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'parley-config-'));
    authority = createAuthority(dir);
  });
  after(() => rmSync(dir, { recursive: true }));

  /** `path: message` of everything that is wrong. */
  function problemsOf(overrides: object, now = Date.now()): string[] {
    try {
      loadConfig(parleyConfigSchema, { overrides }, (config, report) => checkConfig(config, report, now));
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return error.problems.map(p => `${p.path}: ${p.message.replaceAll(`${dir}/`, '')}`);
    }
    return [];
  }

  it('and the default is good', () => assert.deepEqual(problemsOf({}), []));

  it('for a stop that leaves time to let clients go', () => {
    assert.deepEqual(problemsOf({ session: { drainMs: 13_001 } }), [
      'session.drainMs: must be at least 2000 less than stopTimeoutMs, which is 15000',
    ]);
    assert.deepEqual(problemsOf({ session: { drainMs: 28_000 }, stopTimeoutMs: 30_000 }), []);
  });

  it('for listeners beyond loopback: TLS, or the word that it is not needed', () => {
    const open = { public: { host: '0.0.0.0' }, grpc: { host: '::' } };
    const [grpc = '', web = ''] = problemsOf(open);
    assert.match(grpc, /^grpc.host: a listener beyond loopback needs TLS: .*--insecure-bind/);
    assert.match(web, /^public.host: /);
    assert.deepEqual(problemsOf({ ...open, insecureBind: true }), []);
    const tls = authority.issue('server');
    assert.deepEqual(problemsOf({ public: { host: '0.0.0.0', tls }, grpc: { host: '::', tls } }), []);
    assert.deepEqual(
      problemsOf({ public: { host: '127.8.8.8' }, grpc: { host: '::1' }, admin: { host: 'localhost' } }),
      [],
    );
  });

  it('for certificates: there, for the key, in force', () => {
    const { certFile } = authority.issue('a');
    const { keyFile } = authority.issue('b');
    assert.deepEqual(problemsOf({ public: { tls: { certFile, keyFile } } }), [
      'public.tls.keyFile: b.key is not the key of the certificate a.pem',
    ]);
    assert.deepEqual(problemsOf({ grpc: { tls: { certFile } } }), [
      'grpc.tls.keyFile: certificate and key are needed together',
    ]);
    assert.deepEqual(problemsOf({ admin: { tls: { clientCaFile: authority.caFile } } }), [
      'admin.tls.clientCaFile: asks callers for certificates, but the listener has none: give certFile, too',
    ]);
    const [ended = ''] = problemsOf({ services: { tls: { caFile: authority.caFile } } }, Date.now() + 40 * DAY);
    assert.match(ended, /^services.tls.caFile: ca.pem ended at/);
    assert.deepEqual(problemsOf({ grpc: { tls: { ...authority.issue('c'), clientCaFile: join(dir, 'gone.pem') } } }), [
      'grpc.tls.clientCaFile: gone.pem is not there',
    ]);
  });

  it('for ports used twice and services nobody runs', () => {
    assert.deepEqual(problemsOf({ grpc: { port: 7380 }, targets: ['im'] }), [
      'grpc.port: is 7380 as public.port is; every listener needs its own',
      'services.directory: directory does not run in this process: give the addresses of those that run it',
    ]);
    assert.deepEqual(problemsOf({ grpc: { port: 0 }, admin: { port: 0 } }), []);
  });

  it('for a pool: secrets in files that can be read, one identity for each server', () => {
    const missing = join(dir, 'nowhere');
    const pool = {
      mongo: { passwordFile: missing, tls: { certificateKeyFile: missing } },
      nats: { user: 'parley', tokenFile: authority.caFile },
      kafka: { sasl: { mechanism: 'plain' }, minInsyncReplicas: 3, replicationFactor: 2 },
    };
    assert.deepEqual(problemsOf({ topology: 'pool', pool }), [
      'pool.kafka.minInsyncReplicas: is more than the 2 copies of replicationFactor',
      'pool.kafka.sasl.passwordFile: is needed for plain',
      'pool.kafka.sasl.username: is needed for plain',
      'pool.mongo.passwordFile: nowhere cannot be read',
      'pool.mongo.passwordFile: needs pool.mongo.user',
      'pool.mongo.tls.certificateKeyFile: nowhere is not there',
      'pool.nats: gives more than one of user, tokenFile, nkeySeedFile and credentialsFile',
    ]);
    assert.deepEqual(problemsOf({ pool }), [], 'standalone has none of it');
  });

  it('for a pool: users and files may be named after services', () => {
    const secret = (name: string) => writeFileSync(join(dir, name), 'x');
    const pool = {
      mongo: { user: 'parley_{service}', passwordFile: join(dir, 'mongo-{service}') },
      nats: { nkeySeedFile: join(dir, 'nats-{service}.seed') },
      kafka: { sasl: { mechanism: 'plain', username: 'parley-{service}', passwordFile: join(dir, 'kafka-{service}') } },
    };
    const of = { topology: 'pool', targets: ['im', 'archiving'], services: { directory: ['d:1'] }, pool };
    assert.deepEqual(problemsOf(of), [
      'pool.kafka.sasl.passwordFile: kafka-im+archiving cannot be read',
      'pool.mongo.passwordFile: mongo-im cannot be read',
      'pool.mongo.passwordFile: mongo-archiving cannot be read',
      'pool.nats.nkeySeedFile: nats-im+archiving.seed cannot be read',
    ]);
    for (const name of ['kafka-im+archiving', 'mongo-im', 'mongo-archiving', 'nats-im+archiving.seed']) secret(name);
    assert.deepEqual(problemsOf(of), []);
    const { mongo, nats, kafka } = parleyConfigSchema.parse({ pool }).pool;
    assert.equal(
      mongoUrl({ ...mongo, passwordFile: '' }, 'edge-federation'),
      'mongodb://parley_edge_federation@127.0.0.1:27017',
    );
    assert.equal(natsOptions(nats, ['im', 'archiving']).nkeySeedFile, join(dir, 'nats-im+archiving.seed'));
    assert.equal(kafkaOptions(kafka, ['im']).sasl?.username, 'parley-im');
  });

  it('and what connects to a pool gets user, password file and TLS', () => {
    const secret = join(dir, 'secret');
    writeFileSync(secret, 'p@ss/word\n');
    const of = (pool: object) => parleyConfigSchema.parse({ pool }).pool;
    const { mongo, nats, kafka } = of({
      mongo: {
        url: 'mongodb://a:27017,b:27017/?replicaSet=rs0',
        user: 'im',
        passwordFile: secret,
        tls: { caFile: '/ca.pem', certificateKeyFile: '/both.pem' },
      },
      nats: { user: 'im', passwordFile: secret, tls: { enabled: true } },
      kafka: { sasl: { mechanism: 'scram-sha-512', username: 'im', passwordFile: secret }, tls: { caFile: '/ca.pem' } },
    });
    assert.equal(
      mongoUrl(mongo, 'im'),
      'mongodb://im:p%40ss%2Fword@a:27017,b:27017/?replicaSet=rs0&tls=true&tlsCAFile=%2Fca.pem&tlsCertificateKeyFile=%2Fboth.pem',
    );
    assert.equal(
      mongoUrl(of({ mongo: { url: 'mongodb://h', tls: { enabled: true } } }).mongo, 'im'),
      'mongodb://h/?tls=true',
    );
    assert.equal(mongoUrl(of({ mongo: { url: 'mongodb://h/?a=b' } }).mongo, 'im'), 'mongodb://h/?a=b');
    assert.deepEqual(natsOptions(nats, ['im']), { servers: nats.servers, user: 'im', passwordFile: secret, tls: {} });
    const { sasl, tls } = kafkaOptions(kafka, ['im']);
    assert.deepEqual(sasl, { mechanism: 'scram-sha-512', username: 'im', passwordFile: secret });
    assert.deepEqual(tls, { caFile: '/ca.pem' });
    const plain = of({});
    assert.deepEqual(natsOptions(plain.nats, ['im']), { servers: plain.nats.servers });
    const { tls: none, sasl: nobody } = kafkaOptions(plain.kafka, ['im']) as Partial<ReturnType<typeof kafkaOptions>>;
    assert.deepEqual([none, nobody], [undefined, undefined]);
  });

  it('and printed without passwords and tokens', () => {
    const shown = hideSecrets({
      a: 'mongodb+srv://user:p@ss/w@host/?x=1',
      b: ['nats://s3cret@host:4222', 'nats://host:4222'],
      c: { d: 'https://intranet.hospital.example/path', e: 3, f: 'a@b.example' },
      tracing: { authorization: 'Bearer abc' },
      empty: { authorization: '', passwordFile: '/run/secrets/x' },
    });
    assert.deepEqual(shown, {
      a: 'mongodb+srv://user:***@host/?x=1',
      b: ['nats://***@host:4222', 'nats://host:4222'],
      c: { d: 'https://intranet.hospital.example/path', e: 3, f: 'a@b.example' },
      tracing: { authorization: '***' },
      empty: { authorization: '', passwordFile: '/run/secrets/x' },
    });
  });
});
