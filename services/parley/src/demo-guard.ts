import type { DirectoryModule } from '@parley/directory-service';
import type { ParleyConfig } from './config.ts';
import { DEMO_ACCOUNTS, DEMO_DOMAIN, demoPeople } from './demo.ts';
import { Explained, NeedsSomebody } from './explain.ts';
import { openListeners } from './listeners.ts';

/** Why others than people at this machine may reach a process; undefined when they cannot. */
function reachable(config: ParleyConfig): string | undefined {
  const open = openListeners(config).map(name => `${name}.host is ${config[name].host}`);
  if (config.public.trustProxy) open.push('public.trustProxy says that a load balancer is in front');
  return open.length > 0 ? open.join(', ') : undefined;
}

const where = 'the demo organisation is for trying things on one machine';

/** The people of the demo organisation exist in every copy of Parley: none of them where others can reach it. */
export function refuseDemoHere(config: ParleyConfig): void {
  const why = reachable(config);
  if (why !== undefined)
    throw new NeedsSomebody(`${where}, and ${why}; set it back, or use an installation of its own`);
}

/** Throws when somebody of the demo organisation could sign in from elsewhere. */
export async function refuseDemoAccounts(
  config: ParleyConfig,
  directory: Pick<DirectoryModule, 'enabledAmong'>,
): Promise<void> {
  const why = reachable(config);
  if (why === undefined) return;
  const found = await directory.enabledAmong(await demoAddresses());
  if (found.length === 0) return;
  throw new NeedsSomebody(
    `${where}, but ${why} and ${found.length} people of ${DEMO_DOMAIN} may sign in; remove them with 'parley remove-demo', or let every listener be on 127.0.0.1`,
  );
}

/** `parley remove-demo`: deletes the people of the demo organisation; what they said stays. */
export async function removeDemo(directory: DirectoryModule): Promise<string> {
  try {
    const removed = await directory.deleteAmong(await demoAddresses());
    return removed.length === 0
      ? `nobody of ${DEMO_DOMAIN} is there`
      : `removed ${removed.length} people of ${DEMO_DOMAIN}; what they said stays, 'parleyctl users restore' brings them back`;
  } catch (error) {
    if ((error as { code?: string }).code !== 'directory.last_administrator') throw error;
    throw new Explained(
      `the only administrator is one of ${DEMO_DOMAIN}; first make another: parley create-administrator --address you@hospital.example`,
      { cause: error },
    );
  }
}

/** Whoever may not be removed comes first, so that nobody is removed then. */
async function demoAddresses(): Promise<readonly string[]> {
  const first = DEMO_ACCOUNTS.filter(({ roles }) => roles.includes('administrator')).map(({ address }) => address);
  return [...new Set([...first, ...(await demoPeople()).map(({ address }) => address)])];
}
