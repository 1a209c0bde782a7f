import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { createAuthority, type TestAuthority } from '@parley/testkit';
import { type Backends, type GuardedMongo, startBackends, startGuardedMongo } from '../../backends/src/index.ts';
import { type KafkaAcl, kafkaAclsOf } from './kafka-acls.ts';

const root = resolve(import.meta.dirname, '../../..');
// what the product itself uses; tests have no driver of their own
const { MongoClient } = createRequire(join(root, 'packages/store/package.json'))('mongodb') as typeof import('mongodb');
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, ResourcePatternTypes } = createRequire(
  join(root, 'packages/event-log/package.json'),
)('kafkajs') as typeof import('kafkajs');

/** Prefix of topics and groups. */
export const TOPIC_PREFIX = 'secured.';
/** Everybody who has credentials, as the server's commands name them. */
export const HOLDERS = ['directory', 'presence', 'session', 'im', 'archiving', 'admin'] as const;
export type Holder = (typeof HOLDERS)[number];
/** Those who have a user at Kafka. */
const LOG_USERS: readonly Holder[] = ['im', 'archiving', 'admin'];

/** Servers that ask everybody who he is, and allow him what the commands of `parley` printed. */
export interface SecuredServers {
  readonly authority: TestAuthority;
  readonly natsUrl: string;
  readonly kafkaBrokers: readonly string[];
  readonly mongoUrl: string;
  /** What a holder needs and nobody else's secrets. */
  secretsOf(holder: Holder): string;
  stop(): Promise<void>;
}

/** Starts NATS with nkeys, Kafka with SCRAM and an authorizer, the database with SCRAM; all three with TLS. */
export async function startSecuredServers(dir: string): Promise<SecuredServers> {
  const authority = createAuthority(dir, 'servers-ca');
  const { certFile, keyFile } = authority.issue('servers');
  const configFile = join(dir, 'print.json');
  const kafkaPrefix = { topicPrefix: TOPIC_PREFIX };
  writeFileSync(configFile, JSON.stringify({ topology: 'pool', pool: { kafka: kafkaPrefix } }));
  const print = (...args: string[]) =>
    execFileSync(join(root, 'bin/parley'), [...args, '--config', configFile], { encoding: 'utf8' });
  const secretsOf = (holder: Holder) => join(dir, 'secrets', holder);
  for (const holder of HOLDERS) {
    mkdirSync(secretsOf(holder), { recursive: true });
    for (const server of ['kafka', 'mongo'])
      writeFileSync(join(secretsOf(holder), `${server}-${holder}`), `${server} of ${holder}\n`);
  }
  const passwordOf = (server: 'kafka' | 'mongo', holder: Holder) => `${server} of ${holder}`;

  const seeds = join(dir, 'seeds');
  writeFileSync(join(dir, 'nats-permissions.conf'), print('print-nats-permissions', '--nkeys', seeds));
  for (const holder of HOLDERS)
    writeFileSync(join(secretsOf(holder), `nats-${holder}.seed`), readFileSync(join(seeds, `nats-${holder}.seed`)));
  writeFileSync(
    join(dir, 'nats.conf'),
    `tls { cert_file: "${certFile}", key_file: "${keyFile}" }\ninclude "./nats-permissions.conf"\n`,
  );

  const pair = join(dir, 'kafka.pem');
  writeFileSync(pair, readFileSync(keyFile, 'utf8') + readFileSync(certFile, 'utf8') + authority.ca);
  const scram = (user: string, password: string) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${user},password=${password}]`,
  ];
  let backends: Backends | undefined;
  let mongo: GuardedMongo | undefined;
  const stop = async () => {
    await mongo?.stop();
    await backends?.stop();
  };
  try {
    backends = await startBackends({
      mongo: true,
      nats: { args: ['-c', join(dir, 'nats.conf')] },
      kafka: {
        formatArgs: [
          ...scram('broker', 'of the broker'),
          ...LOG_USERS.flatMap(holder => scram(`parley-${holder}`, passwordOf('kafka', holder))),
        ],
        properties: ports => ({
          listeners: `SASL_SSL://127.0.0.1:${ports.broker},CONTROLLER://127.0.0.1:${ports.controller}`,
          'advertised.listeners': `SASL_SSL://localhost:${ports.broker}`,
          'inter.broker.listener.name': 'SASL_SSL',
          'sasl.mechanism.inter.broker.protocol': 'SCRAM-SHA-512',
          'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL',
          'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
          'listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config':
            'org.apache.kafka.common.security.scram.ScramLoginModule required username="broker" password="of the broker";',
          'ssl.keystore.type': 'PEM',
          'ssl.keystore.location': pair,
          'ssl.truststore.type': 'PEM',
          'ssl.truststore.location': authority.caFile,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:broker;User:ANONYMOUS',
        }),
      },
    });
    const { nats, kafka, mongo: open } = backends;
    if (!nats || !kafka || !open) throw new Error('a server is missing');
    const kafkaBrokers = kafka.brokers.map(broker => broker.replace('127.0.0.1', 'localhost'));
    await allow(kafkaBrokers, authority, kafkaAclsOf(print('print-kafka-acls')));
    await makeMongoUsers(open.url, passwordOf);
    mongo = await startGuardedMongo({ behind: backends, certFile, keyFile });
    return {
      authority,
      natsUrl: nats.url.replace('nats://127.0.0.1', 'tls://localhost'),
      kafkaBrokers,
      mongoUrl: `mongodb://localhost:${mongo.port}`,
      secretsOf,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What `kafka-acls.sh` does. */
async function allow(brokers: readonly string[], authority: TestAuthority, acls: readonly KafkaAcl[]): Promise<void> {
  const admin = new Kafka({
    brokers: [...brokers],
    clientId: 'acls',
    ssl: { ca: [authority.ca] },
    sasl: { mechanism: 'scram-sha-512', username: 'broker', password: 'of the broker' },
  }).admin();
  await admin.connect();
  const kinds = { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP };
  await admin.createAcls({
    acl: acls.flatMap(({ user, resource, name, operations }) =>
      operations.map(operation => ({
        resourceType: kinds[resource],
        resourceName: name,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${user}`,
        host: '*',
        operation: AclOperationTypes[operation.toUpperCase() as keyof typeof AclOperationTypes],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  });
  await admin.disconnect();
}

/** FerretDB knows users and no roles of ours: each gets the widest. */
async function makeMongoUsers(url: string, passwordOf: (server: 'mongo', holder: Holder) => string): Promise<void> {
  const client = await new MongoClient(url).connect();
  const roles = [
    { role: 'clusterAdmin', db: 'admin' },
    { role: 'readWriteAnyDatabase', db: 'admin' },
  ];
  for (const holder of HOLDERS)
    await client.db('admin').command({ createUser: `parley_${holder}`, pwd: passwordOf('mongo', holder), roles });
  await client.close();
}
