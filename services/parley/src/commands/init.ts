import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { domainToASCII } from 'node:url';
import { StoreError } from '@parley/store';
import type { ParleyConfig } from '../config.ts';
import { configTemplate, PROFILES, type ProfileName } from '../config-template.ts';
import { createKeys } from '../keys.ts';
import { publicUrl } from '../public-url.ts';
import { TARGET_NAMES } from '../routes.ts';
import { usesServers } from '../topology.ts';
import { type CommandContext, type CommonOptions, commandContext, keysDir, withTopology } from './context.ts';
import { migrateStores } from './migrate.ts';
import { forgetOneTimePassword, newOneTimePassword } from './one-time-password.ts';
import type { Terminal } from './terminal.ts';
import { directoryOf } from './with-directory.ts';

/** What `parley init` may be told. */
export interface InitOptions extends CommonOptions {
  /** Mail-like domains of the organisation. */
  readonly domain?: readonly string[];
  readonly profile?: ProfileName;
  /** Address of the first administrator; false: make none. */
  readonly administrator?: string | false;
  readonly name?: string;
  /** Where the one-time password goes instead of the terminal. */
  readonly passwordFile?: string;
}

/**
 * `parley init`: writes configuration and keys, migrates and makes the first administrator, with a password that is
 * shown once and must be changed at the first sign-in. Does what is missing and leaves what is there. Asks on a terminal;
 * elsewhere refuses, naming what it was not told.
 */
export async function init(options: InitOptions, terminal: Terminal): Promise<void> {
  const dataDir = options.dataDir ?? process.env.PARLEY_DATA_DIR ?? 'data';
  const named = options.config ?? process.env.PARLEY_CONFIG;
  const file = named ?? join(dataDir, 'parley.yaml');
  const isNew = !existsSync(file);
  refuseToGuess(
    options,
    isNew,
    isNew || !existsSync(join(keysDirOf(options, isNew, dataDir), 'refresh.key')),
    terminal,
  );

  if (isNew) {
    const given = options.domain?.map(domainOf);
    const domains = given ?? [await terminal.ask('Domain of your addresses', ownDomain(), domainOf)];
    const profile = options.profile ?? (await askProfile(terminal));
    if (typeof options.administrator === 'string') addressIn(domains)(options.administrator);
    const elsewhere = resolve(dirname(file)) === resolve(dataDir) ? undefined : resolve(dataDir);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const settings = { domains, profile, dataDir: elsewhere };
    writeFileSync(file, configTemplate(settings), { flag: 'wx', mode: 0o600 });
    terminal.say(`wrote the configuration ${file}, profile ${profile}: ${PROFILES[profile].meaning}`);
  } else {
    const ignored = (['domain', 'profile'] as const).filter(name => options[name] !== undefined);
    const without = ignored.length > 0 ? `; --${ignored.join(' and --')} changed nothing: edit the file` : '';
    terminal.say(`the configuration ${file} is there and stays as it is${without}`);
  }
  const context = commandContext({ ...options, config: file }, 'warn');
  const dir = keysDir(context.config);
  const written = createKeys(dir, TARGET_NAMES, context.ids);
  terminal.say(written.length > 0 ? `wrote ${written.length} key files to ${dir}` : `the keys in ${dir} are there`);
  try {
    await fill(context, options, terminal);
  } catch (error) {
    // whoever runs init again on a running installation wants to know that nothing is missing
    const complete = !isNew && written.length === 0;
    if (!(complete && error instanceof StoreError && error.code === 'store.locked')) throw error;
    terminal.say(`Parley runs on ${context.config.dataDir}; nothing was changed`);
  }
}

async function fill(context: CommandContext, options: InitOptions, terminal: Terminal): Promise<void> {
  const { config } = context;
  await withTopology(context, async topology => {
    await migrateStores(context, topology);
    terminal.say(usesServers(config) ? 'the databases are ready' : `the database in ${config.dataDir} is ready`);
    if (options.administrator === false) return;
    const directory = await directoryOf(context, topology);
    if ((await directory.countAdministrators()) > 0)
      return terminal.say('there is an administrator, whose password stays as it is');
    const { address, displayName } = await firstAdministrator(config, options, terminal);
    const password = newOneTimePassword(context.ids, options.passwordFile);
    const person = { address, displayName, password, passwordChangeRequired: true };
    const { created } = await directory.ensureAdministrator(person);
    if (!created) {
      forgetOneTimePassword(options.passwordFile);
      terminal.say(`${address} was there and is an administrator now, with the password he had`);
    } else if (options.passwordFile !== undefined) {
      terminal.say(`made ${address} the first administrator; the one-time password is in ${options.passwordFile}`);
    } else {
      terminal.say(`made ${address} the first administrator. One-time password, shown only now:\n\n  ${password}\n`);
    }
    nextSteps(config, options, terminal, address);
  });
}

/** Where nobody can be asked, everything must be said; nothing is written before. */
function refuseToGuess(options: InitOptions, isNew: boolean, fresh: boolean, terminal: Terminal): void {
  if (terminal.interactive || !fresh) return;
  const missing = [
    ...(isNew && options.domain === undefined ? ['--domain'] : []),
    ...(isNew && options.profile === undefined ? ['--profile'] : []),
    ...missingOfAdministrator(options),
  ];
  if (missing.length > 0)
    throw new Error(
      `there is no terminal to ask on: give ${missing.join(', ')}${missing.includes('--administrator') ? ' (or --no-administrator)' : ''}`,
    );
}

function missingOfAdministrator({ administrator, name, passwordFile }: InitOptions): string[] {
  if (administrator === false) return [];
  const given = { '--administrator': administrator, '--name': name, '--password-file': passwordFile };
  return Object.entries(given).flatMap(([flag, value]) => (value === undefined ? [flag] : []));
}

async function firstAdministrator(config: ParleyConfig, options: InitOptions, terminal: Terminal) {
  const { domains } = config.directory;
  const check = addressIn(domains);
  if (typeof options.administrator === 'string') check(options.administrator);
  const missing = missingOfAdministrator(options);
  if (missing.length > 0 && !terminal.interactive)
    throw new Error(`there is no administrator yet, and no terminal to ask on: give ${missing.join(', ')}`);
  const address =
    options.administrator || (await terminal.ask("Administrator's address", `admin@${domains[0]}`, check));
  const displayName = options.name ?? (await terminal.ask("Administrator's name", 'Administrator', nameOf));
  return { address, displayName };
}

async function askProfile(terminal: Terminal): Promise<ProfileName> {
  terminal.say('Two profiles of defaults, all of which can be changed later:');
  for (const [name, { meaning }] of Object.entries(PROFILES)) terminal.say(`  ${name.padEnd(10)} ${meaning}`);
  return terminal.ask('Profile', 'standard', answer => {
    if (!Object.hasOwn(PROFILES, answer)) throw new Error(`answer ${Object.keys(PROFILES).join(' or ')}`);
    return answer as ProfileName;
  });
}

function nextSteps(config: ParleyConfig, options: InitOptions, terminal: Terminal, address: string): void {
  const place = options.config ? `--config ${options.config}` : `--data-dir ${options.dataDir ?? config.dataDir}`;
  const url = publicUrl(config);
  terminal.say(`
Next:
  1. start it:        parley serve ${place}${usesServers(config) ? ' --target …' : ''}
  2. sign in:         open ${url}, or: parleyctl login --server ${url} ${address}
                      and choose a password of your own
  3. bring people in: parleyctl users import people.csv
  4. check it:        parley doctor ${place}`);
}

/** The domain this machine is in, if it knows. */
function ownDomain(): string | undefined {
  const [, ...domain] = hostname().split('.');
  return domain.length > 1 ? domain.join('.') : undefined;
}

function domainOf(text: string): string {
  const domain = text.trim().toLowerCase();
  if (domainToASCII(domain) === '' || !/^[^\s@/:]+$/.test(domain) || /^[\d.]+$/.test(domain))
    throw new Error(domain === '' ? 'a domain is needed' : `"${text}" is not a domain name`);
  return domain;
}

/** Accepts addresses in one of the domains. */
function addressIn(domains: readonly string[]): (text: string) => string {
  const known = new Set(domains.map(domain => domainToASCII(domain)));
  return text => {
    const [user = '', domain = '', ...more] = text.trim().split('@');
    if (user === '' || more.length > 0 || !known.has(domainToASCII(domain)))
      throw new Error(`"${text}" is no address in ${domains.join(' or ')}`);
    return text.trim();
  };
}

function nameOf(text: string): string {
  if (text === '') throw new Error('a name is needed');
  return text;
}

function keysDirOf(options: InitOptions, isNew: boolean, dataDir: string): string {
  return isNew ? join(dataDir, 'keys') : keysDir(commandContext(options, 'warn').config);
}
