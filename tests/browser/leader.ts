import type { Page } from 'playwright-core';

/** Whether a tab holds the lock, and with it the stream. */
export const leads = (tab: Page): Promise<boolean> =>
  tab.evaluate(async () => {
    const { held = [] } = await navigator.locks.query();
    const holder = held.find(lock => lock.name === 'parley.leader')?.clientId;
    const name = crypto.randomUUID();
    const mine = await navigator.locks.request(name, async () =>
      (await navigator.locks.query()).held?.find(lock => lock.name === name),
    );
    return holder !== undefined && holder === mine?.clientId;
  });

/** The tab that leads. */
export async function leaderOf(tabs: readonly Page[]): Promise<Page> {
  for (const tab of tabs) if (await leads(tab)) return tab;
  throw new Error('no tab leads');
}
