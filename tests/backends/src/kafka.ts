/** Kafka in KRaft mode, one node that is broker and controller. */
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts, HOST } from './net.ts';
import type { Recipe } from './recipe.ts';
import type { RunContext } from './run.ts';
import { type BackendHandle, createServerProcess, type Server } from './server.ts';
import { need, run } from './tools.ts';
import { artefactDir, recipeDir, VERSIONS } from './versions.ts';
import { kafkaAnswers } from './wire.ts';

/** The two listeners of the node. */
export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/** Lines of server.properties. */
export type KafkaProperties = Readonly<Record<string, string>>;

/** What a Kafka test may change. */
export interface KafkaOptions {
  /** Added to the properties or replacing them; a function when they need the ports (listeners for SASL or TLS). */
  readonly properties?: KafkaProperties | ((ports: KafkaPorts) => KafkaProperties);
  /** Formats the storage afresh with these arguments, e.g. `["--add-scram", "SCRAM-SHA-512=[name=a,password=b]"]`. */
  readonly formatArgs?: readonly string[];
  /** Where the records are kept, a directory of the caller's; default: in the folder of the run. */
  readonly dataDir?: string;
  /** More arguments for the JVM, e.g. `["-Xmx1g"]`. */
  readonly jvmArgs?: readonly string[];
}

/** A running Kafka node. */
export interface KafkaBackend extends BackendHandle {
  /** `["127.0.0.1:PORT"]` */
  readonly brokers: string[];
}

const CLUSTER_ID = 'cGFybGV5LXRlc3Qta2Fma2';
const STARTED = 'Kafka Server started';
const SIMPLE_LOGGER = '-Dorg.slf4j.simpleLogger';
const LOG_FORMAT = [`${SIMPLE_LOGGER}.showDateTime=true`, `${SIMPLE_LOGGER}.dateTimeFormat=HH:mm:ss.SSS`];
const JVM = ['-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:+ExitOnOutOfMemoryError', '-Djava.awt.headless=true'];

/** The properties of a node on these ports. Small internal topics and buffers: this is a test machine. */
export function kafkaProperties(ports: KafkaPorts, dataDir: string, extra: KafkaProperties = {}): KafkaProperties {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    listeners: `PLAINTEXT://${HOST}:${ports.broker},CONTROLLER://${HOST}:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${ports.broker}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '4',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    'auto.create.topics.enable': 'false',
    'log.cleaner.dedupe.buffer.size': '16777216',
    // A killed broker may register again only when its old session is over: 9 s by default.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'log.dirs': dataDir,
    ...extra,
  };
}

/** Writes properties in the format Java reads. */
export function formatProperties(properties: KafkaProperties): string {
  const escape = (value: string): string => value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n\\\n');
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escape(value)}\n`)
    .join('');
}

/** How the server is built: the jars, a formatted data folder to copy, and a class archive that halves the start. */
export const buildKafka: Recipe = {
  tools: ['java', 'mvn'],
  async build({ dir, logFile, step }) {
    await copyFile(join(recipeDir('kafka'), 'pom.xml'), join(dir, 'pom.xml'));
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    const version = `-Dkafka.version=${VERSIONS.kafka}`;
    await step('fetch jars', () => run([need('mvn'), '-q', '-B', version, ...goal], { logFile, cwd: dir }));
    const jars = (await readdir(join(dir, 'lib'))).filter(name => name.endsWith('.jar')).sort();
    // Relative and in a fixed order: the class archive is valid only for the class path it was made with.
    await writeFile(join(dir, 'classpath'), jars.map(name => join('lib', name)).join(':'));
    const ports = await freeBuildPorts();
    const config = join(dir, 'server.properties');
    await writeFile(config, formatProperties(kafkaProperties(ports, join(dir, 'template'))));
    await step('format storage', () => format(dir, config, [], logFile));
    await step('class archive', () => dumpClasses(dir, ports, logFile));
    return { jars: String(jars.length) };
  },
};

async function freeBuildPorts(): Promise<KafkaPorts> {
  const [broker = 0, controller = 0] = await freePorts(2, new Set());
  return { broker, controller };
}

/** Runs the server once on a copy of the template; the JVM writes the archive of the loaded classes when it exits. */
async function dumpClasses(dir: string, ports: KafkaPorts, logFile: string): Promise<void> {
  const data = join(dir, 'warm-up');
  const config = join(dir, 'warm-up.properties');
  await cp(join(dir, 'template'), data, { recursive: true });
  await writeFile(config, formatProperties(kafkaProperties(ports, data)));
  const server = createServerProcess({
    name: 'kafka class archive',
    command: java(dir, ['-XX:ArchiveClassesAtExit=classes.jsa'], ['kafka.Kafka', config]),
    cwd: dir,
    logFile,
    ready: printed => printed.includes(STARTED),
    stopSignal: 'SIGTERM',
    log: () => {},
    onStart: () => {},
  });
  await server.start();
  await server.stop();
  await rm(data, { recursive: true });
}

function java(dir: string, jvmArgs: readonly string[], args: readonly string[]): string[] {
  const classpath = readFileSync(join(dir, 'classpath'), 'utf8');
  return [need('java'), ...JVM, ...LOG_FORMAT, ...jvmArgs, '-cp', classpath, ...args];
}

async function format(dir: string, config: string, args: readonly string[], logFile: string): Promise<void> {
  const command = java(dir, [], ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', config, ...args]);
  await run(command, { logFile, cwd: dir });
}

/** How the server is run: on a copy of the template, or on what an earlier run left in the folder. The caller starts it. */
export async function prepareKafka(context: RunContext, options: KafkaOptions): Promise<Server & KafkaBackend> {
  const artefact = artefactDir('kafka');
  const ports: KafkaPorts = { broker: context.port('kafka'), controller: context.port('kafka-controller') };
  const extra = typeof options.properties === 'function' ? options.properties(ports) : (options.properties ?? {});
  const data = options.dataDir ?? join(context.dir, 'kafka', 'data');
  const config = join(context.dir, 'kafka', 'server.properties');
  const base = context.server('kafka');
  await mkdir(join(context.dir, 'kafka'), { recursive: true });
  await writeFile(config, formatProperties(kafkaProperties(ports, data, extra)));
  if (!existsSync(join(data, 'meta.properties'))) {
    if (options.formatArgs !== undefined) await format(artefact, config, options.formatArgs, base.logFile);
    else await cp(join(artefact, 'template'), data, { recursive: true });
  }
  const jvm = ['-XX:SharedArchiveFile=classes.jsa', `-XX:ErrorFile=${base.logFile}.crash`, ...(options.jvmArgs ?? [])];
  const server = createServerProcess({
    ...base,
    cwd: artefact,
    command: java(artefact, jvm, ['kafka.Kafka', config]),
    // Only a plain listener answers a plain question; the log line covers the others.
    ready: async printed =>
      printed.includes(STARTED) && (options.properties !== undefined || (await kafkaAnswers(ports.broker))),
    stopSignal: 'SIGTERM',
  });
  return { ...server, brokers: [`${HOST}:${ports.broker}`] };
}
