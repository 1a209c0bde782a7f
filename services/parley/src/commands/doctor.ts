import { ConfigError, createLogger } from '@parley/runtime';
import { type Check, failed, ok, rendered } from '../doctor/check.ts';
import { checkClock } from '../doctor/clock-checks.ts';
import { checkBackup, checkDataDirectory, checkKeys } from '../doctor/file-checks.ts';
import { checkListeners } from '../doctor/listener-checks.ts';
import { checkStores } from '../doctor/store-checks.ts';
import { databaseFile } from '../topology.ts';
import { type CommandContext, type CommonOptions, commandContext, keysDir, readConfig } from './context.ts';

/** What `parley doctor` says, and the exit code: 0 when nothing is wrong, 1 when something is. */
export interface Diagnosis {
  readonly lines: readonly string[];
  readonly code: number;
}

/** `parley doctor`: looks at everything an installation needs; changes nothing, also while a server runs. */
export async function doctor(
  options: CommonOptions & { readonly json?: boolean },
  colour: boolean,
): Promise<Diagnosis> {
  const checks = await allChecks(options);
  const healthy = checks.every(({ status }) => status !== 'failed');
  const lines = options.json ? [JSON.stringify({ healthy, checks }, null, 2)] : rendered(checks, colour);
  return { lines, code: healthy ? 0 : 1 };
}

async function allChecks(options: CommonOptions): Promise<readonly Check[]> {
  const configuration = checkConfiguration(options);
  const context = contextOf(options);
  if (!context) return [configuration];
  const { config, clock } = context;
  const nowMs = clock.now();
  const directory = checkDataDirectory(config);
  const usable = directory[0]?.status !== 'failed';
  return [
    configuration,
    ...directory,
    checkKeys(keysDir(config), keysOf(config.targets)),
    ...(usable ? [await checkClock(config.dataDir, nowMs)] : []),
    ...(await checkListeners(config, await answers(context), nowMs)),
    ...(await checkStores(context)),
    ...(usable && databaseFile(config) !== undefined ? [checkBackup(config.dataDir, nowMs)] : []),
  ];
}

function checkConfiguration(options: CommonOptions): Check {
  try {
    readConfig(options, { strict: true });
    return ok('configuration', 'every setting is good');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problems = error.problems.map(p => `${p.path} (${p.source}): ${p.message}`).join('; ');
    return failed('configuration', problems, 'Correct the settings; docs/reference/configuration.md has all of them.');
  }
}

/** Undefined when not even the rest can be looked at. */
function contextOf(options: CommonOptions): CommandContext | undefined {
  try {
    // what is wrong is said by the checks
    return { ...commandContext(options, 'warn'), logger: createLogger({ level: 'silent', service: 'doctor' }) };
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Key files that services read. */
function keysOf(targets: readonly string[]): readonly string[] {
  return [
    ...(targets.includes('directory') ? ['person-token-1.pem', 'refresh.key'] : []),
    ...(targets.includes('archiving') ? ['checkpoint.pem'] : []),
    ...targets.map(name => `service-${name}.pem`),
  ];
}

/** Whether a Parley with this configuration runs here. */
async function answers({ config }: CommandContext): Promise<boolean> {
  const { host, port, tls } = config.admin;
  if (port === 0) return false;
  const scheme = tls.certFile === '' ? 'http' : 'https';
  const place = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return fetch(`${scheme}://${place}:${port}/livez`, { signal: AbortSignal.timeout(2_000) }).then(
    response => response.ok,
    // a certificate that is not trusted here shows that somebody answers
    (error: Error) =>
      scheme === 'https' && /cert|self.signed|issuer/i.test(String((error.cause as Error | undefined)?.message)),
  );
}
