import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO_ACCOUNTS, DEMO_DOMAIN, demoPeople } from '../demo.ts';
import type { CommandContext } from './context.ts';
import { withDirectory } from './with-directory.ts';

/** `parley create-administrator`: says whether the person was made or was there. */
export async function createAdministrator(
  context: CommandContext,
  options: { readonly address: string; readonly name: string; readonly passwordFile?: string },
): Promise<string> {
  const password = readFileSync(options.passwordFile ?? 0, 'utf8').replace(/\r?\n$/, '');
  const { created } = await withDirectory(context, directory =>
    directory.ensureAdministrator({ address: options.address, displayName: options.name, password }),
  );
  return created
    ? `made ${options.address} an administrator`
    : `${options.address} was there and is an administrator; the password stays as it was`;
}

/** Bytes of randomness in a demo password: 96 bits, 16 characters. */
const PASSWORD_BYTES = 12;

/**
 * `parley create-demo`: imports the demo organisation as any file of people is imported, and writes the passwords,
 * random for this installation, to `demo-accounts.txt` (mode 0600) in the data directory before the first account is
 * made, so that a run cut short can be repeated.
 */
export async function createDemo(context: CommandContext): Promise<readonly string[]> {
  const file = join(context.config.dataDir, 'demo-accounts.txt');
  const draft = `${file}.tmp`;
  const earlier = [draft, file].find(path => existsSync(path));
  const known = earlier === undefined ? [] : readFileSync(earlier, 'utf8').split('\n');
  const people = await demoPeople();
  const passwordOf = new Map(
    DEMO_ACCOUNTS.map(({ address }) => {
      const before = known.find(line => line.startsWith(`${address} `))?.split(/\s+/)[1];
      return [address, before ?? Buffer.from(context.ids.bytes(PASSWORD_BYTES)).toString('base64url')] as const;
    }),
  );
  const table = DEMO_ACCOUNTS.map(({ address }) => {
    const person = people.find(row => row.address === address);
    if (!person) throw new Error(`${address} is not in the demo organisation`);
    return `${address.padEnd(34)} ${passwordOf.get(address)}  ${person.displayName}, ${person.title}`;
  });
  writeFileSync(draft, `${table.join('\n')}\n`, { mode: 0o600 });
  await withDirectory(context, async directory => {
    const rows = people.map(row => ({ ...row, initialPassword: passwordOf.get(row.address) ?? '' }));
    const outcomes = await directory.importPeople(rows, { passwordChangeRequired: false });
    const refused = outcomes.findIndex(outcome => outcome.action === 'refused');
    if (refused >= 0)
      throw new Error(`${rows[refused]?.address}: ${outcomes[refused]?.field}: ${outcomes[refused]?.message}`);
    for (const { address, roles } of DEMO_ACCOUNTS) {
      if (roles.length === 0) continue;
      const displayName = people.find(row => row.address === address)?.displayName ?? address;
      await directory.ensurePerson({ address, displayName, password: passwordOf.get(address), roles });
    }
  });
  renameSync(draft, file);
  return [
    `made ${people.length} people of ${DEMO_DOMAIN}; ${table.length} of them can sign in, their passwords are in ${file}`,
  ];
}
