import { accessSync, constants } from 'node:fs';
import { type ReportProblem, readTlsFiles, type TlsFiles, TlsFilesError } from '@parley/runtime';
import type { ParleyConfig } from './config.ts';
import { filesOf } from './config-parts.ts';
import { isLoopback, LISTENERS, listenerFiles } from './listeners.ts';
import { mongoOf, named } from './pool-options.ts';
import { usesEventLog } from './rights/rights.ts';
import { TARGETS } from './targets.ts';
import { usesServers } from './topology.ts';

/** What a session service needs to stop after its clients have gone elsewhere. */
const AFTER_DRAIN_MS = 2_000;

/**
 * What the schema cannot say: files that must be there and fit together, settings that only make sense together. Reads
 * files, connects to nothing.
 */
export function checkConfig(config: ParleyConfig, report: ReportProblem, nowMs: number): void {
  for (const name of LISTENERS) {
    const files = listenerFiles(config, name);
    if (files) {
      if (!files.certFile && !files.keyFile)
        report(
          `${name}.tls.clientCaFile`,
          'asks callers for certificates, but the listener has none: give certFile, too',
        );
      checkTls(`${name}.tls`, files, nowMs, report, { caFile: 'clientCaFile' });
    } else if (!isLoopback(config[name].host) && !config.insecureBind)
      report(
        `${name}.host`,
        `a listener beyond loopback needs TLS: give ${name}.tls.certFile and keyFile, or put a TLS proxy in front and give --insecure-bind if the network between is yours`,
      );
  }
  checkPorts(config, report);
  checkTls('services.tls', filesOf(config.services.tls), nowMs, report);
  checkCalls(config, report);
  const { session, stopTimeoutMs } = config;
  if (config.targets.includes('session') && session.drainMs + AFTER_DRAIN_MS > stopTimeoutMs)
    report('session.drainMs', `must be at least ${AFTER_DRAIN_MS} less than stopTimeoutMs, which is ${stopTimeoutMs}`);
  if (usesServers(config)) checkPool(config, nowMs, report);
}

/** `names`: what the settings are called where they are not called as the files. */
function checkTls(
  path: string,
  files: TlsFiles,
  nowMs: number,
  report: ReportProblem,
  names: Partial<Record<keyof TlsFiles, string>> = {},
): void {
  if (Object.values(files).every(file => file === undefined)) return;
  try {
    readTlsFiles(files, nowMs);
  } catch (error) {
    if (!(error instanceof TlsFilesError)) throw error;
    const problems = new Map(error.problems.map(p => [`${path}.${names[p.field] ?? p.field}\0${p.message}`, p]));
    for (const [key, { message }] of problems) report(key.split('\0')[0] as string, message);
  }
}

function checkPorts(config: ParleyConfig, report: ReportProblem): void {
  for (const [i, name] of LISTENERS.entries()) {
    const { port } = config[name];
    const other = LISTENERS.slice(0, i).find(before => config[before].port === port);
    if (port !== 0 && other) report(`${name}.port`, `is ${port} as ${other}.port is; every listener needs its own`);
  }
}

/** Services that this process calls must run in it or have addresses. */
function checkCalls(config: ParleyConfig, report: ReportProblem): void {
  const here = new Set(config.targets);
  const called = new Set(config.targets.flatMap(name => TARGETS[name].calls));
  // everybody asks directory for the keys of tokens
  called.add('directory');
  for (const name of called)
    if (!here.has(name) && config.services[name].length === 0)
      report(`services.${name}`, `${name} does not run in this process: give the addresses of those that run it`);
}

function checkPool(config: ParleyConfig, nowMs: number, report: ReportProblem): void {
  const { nats, kafka } = named(config.pool, config.targets);
  checkTls('pool.nats.tls', filesOf(nats.tls), nowMs, report);
  const { tls: _tls, ...secrets } = nats;
  for (const [name, file] of Object.entries(filesOf(secrets))) checkReadable(`pool.nats.${name}`, file, report);
  const kinds = [nats.user, nats.tokenFile, nats.nkeySeedFile, nats.credentialsFile].filter(kind => kind !== '');
  if (kinds.length > 1) report('pool.nats', 'gives more than one of user, tokenFile, nkeySeedFile and credentialsFile');
  if (nats.passwordFile !== '' && nats.user === '') report('pool.nats.passwordFile', 'needs pool.nats.user');
  // whoever has nothing to do with the log needs no credentials for it
  if (usesEventLog(config.targets, config)) checkKafka(kafka, nowMs, report);
  checkMongo(config, nowMs, report);
}

function checkKafka(kafka: ParleyConfig['pool']['kafka'], nowMs: number, report: ReportProblem): void {
  checkTls('pool.kafka.tls', filesOf(kafka.tls), nowMs, report);
  checkReadable('pool.kafka.sasl.passwordFile', kafka.sasl.passwordFile, report);
  if (kafka.sasl.mechanism !== 'none')
    for (const name of ['username', 'passwordFile'] as const)
      if (kafka.sasl[name] === '') report(`pool.kafka.sasl.${name}`, `is needed for ${kafka.sasl.mechanism}`);
  if (kafka.minInsyncReplicas > kafka.replicationFactor)
    report('pool.kafka.minInsyncReplicas', `is more than the ${kafka.replicationFactor} copies of replicationFactor`);
}

/** As every service of the process sees it; what is wrong for all of them is said once. */
function checkMongo({ pool, targets }: ParleyConfig, nowMs: number, report: ReportProblem): void {
  const said = new Set<string>();
  const once: ReportProblem = (path, message) => {
    if (!said.has(`${path} ${message}`)) report(path, message);
    said.add(`${path} ${message}`);
  };
  for (const service of targets) {
    const { tls, user, passwordFile } = mongoOf(pool.mongo, service);
    const { caFile, certificateKeyFile: both } = filesOf(tls);
    const names = { certFile: 'certificateKeyFile', keyFile: 'certificateKeyFile' };
    checkTls('pool.mongo.tls', { caFile, certFile: both, keyFile: both }, nowMs, once, names);
    checkReadable('pool.mongo.passwordFile', passwordFile, once);
    if (passwordFile !== '' && user === '') once('pool.mongo.passwordFile', 'needs pool.mongo.user');
  }
}

function checkReadable(path: string, file: string | undefined, report: ReportProblem): void {
  if (file && !readable(file)) report(path, `${file} cannot be read`);
}

function readable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
