import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEMO_DOMAIN, DEMO_PEOPLE } from '../demo.ts';
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
 * `parley create-demo`: makes the people of the demo organisation and writes their passwords, random for this
 * installation, to `demo-accounts.txt` (mode 0600) in the data directory before the first account is made, so that a
 * run cut short can be repeated.
 */
export async function createDemo(context: CommandContext): Promise<readonly string[]> {
  const file = join(context.config.dataDir, 'demo-accounts.txt');
  const draft = `${file}.tmp`;
  const known = existsSync(draft) ? readFileSync(draft, 'utf8') : undefined;
  const passwordOf = new Map(
    DEMO_PEOPLE.map(person => {
      const before = known?.split('\n').find(line => line.startsWith(`${person.name}@`));
      return [
        person.name,
        before?.trim().split(/\s+/)[1] ?? Buffer.from(context.ids.bytes(PASSWORD_BYTES)).toString('base64url'),
      ] as const;
    }),
  );
  const table = DEMO_PEOPLE.map(
    ({ name, displayName, title }) =>
      `${`${name}@${DEMO_DOMAIN}`.padEnd(34)} ${passwordOf.get(name)}  ${displayName}, ${title}`,
  );
  writeFileSync(draft, `${table.join('\n')}\n`, { mode: 0o600 });
  await withDirectory(context, async directory => {
    for (const { name, roles, ...person } of DEMO_PEOPLE) {
      await directory.ensurePerson({
        ...person,
        address: `${name}@${DEMO_DOMAIN}`,
        password: passwordOf.get(name) as string,
        roles,
      });
    }
  });
  writeFileSync(file, `${table.join('\n')}\n`, { mode: 0o600 });
  return [`made ${DEMO_PEOPLE.length} people of ${DEMO_DOMAIN}; their passwords are in ${file}`];
}
