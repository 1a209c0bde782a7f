import { createParleyClient } from '@parley/client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startChromium } from '../../tests/browser/chromium.ts';
import { buildWeb } from '../../tools/web.ts';
import { type Bench, quantile } from '../lib/bench.ts';
import { startTarget, type Target } from '../lib/server.ts';

/** What one visit took. */
interface Visit {
  readonly ms: number;
  readonly bytes: number;
  readonly requests: number;
}

const SLOW = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };

/** Goes to the address and waits until `usable` can be typed into. */
async function visit(page: Page, url: string, usable: string, slow = false): Promise<Visit> {
  const devtools = await page.context().newCDPSession(page);
  let bytes = 0;
  let requests = 0;
  devtools.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  await devtools.send('Network.enable');
  if (slow) await devtools.send('Network.emulateNetworkConditions', SLOW);
  const began = performance.now();
  await page.goto(url, { waitUntil: 'commit' });
  await page.locator(usable).first().fill('a');
  const ms = performance.now() - began;
  await page.waitForLoadState('load');
  await devtools.detach();
  return { ms, bytes, requests };
}

const ADDRESS = 'input[name="address"], input[type="email"], input[autocomplete="username"]';
const SEARCH = 'input[type="search"], [role="searchbox"], [role="combobox"]';

/** Somebody with conversations, signed in in this browser profile. */
async function signedIn(context: BrowserContext, target: Target, talks: number): Promise<void> {
  const { parley } = target;
  const admin = createParleyClient({ baseUrl: parley.url });
  await admin.signIn(parley.administrator.address, parley.administrator.password);
  const make = async (name: string) => {
    const address = `${name}-${crypto.randomUUID().slice(0, 8)}@parley.example`;
    const password = `web start ${name} ${crypto.randomUUID()}`;
    const request = {
      requestId: crypto.randomUUID(),
      address,
      displayName: `Person ${name}`,
      initialPassword: password,
    };
    const { account } = await admin.services.directoryAdmin.createPerson(request);
    return { id: account?.person?.id ?? '', address, password };
  };
  const me = await make('me');
  for (let i = 0; i < talks; i++) {
    const other = await make(`other-${i}`);
    const client = createParleyClient({ baseUrl: parley.url });
    await client.signIn(other.address, other.password);
    await client.send(me.id, `hello ${i}`).acknowledged;
    await client.close();
  }
  await admin.close();
  const page = await context.newPage();
  await page.goto(parley.url);
  await page.locator(ADDRESS).first().fill(me.address);
  await page.locator('input[type="password"]').first().fill(me.password);
  await page.keyboard.press('Enter');
  await page.locator(SEARCH).first().waitFor();
  await page
    .locator('[data-person]')
    .nth(talks - 1)
    .waitFor();
  await page.close();
}

/** First visits, and what a second one of the same profile takes. */
async function fresh(browser: Browser, url: string, slow: boolean): Promise<{ cold: Visit; warm: Visit }> {
  const context = await browser.newContext({ locale: 'en-GB' });
  try {
    const cold = await visit(await context.newPage(), url, ADDRESS, slow);
    const warm = await visit(await context.newPage(), url, ADDRESS, slow);
    return { cold, warm };
  } finally {
    await context.close();
  }
}

const median = (values: readonly number[]) =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );

/** The web client from its address to a screen that can be used. */
export const bench: Bench = async ({ smoke }) => {
  const runs = smoke ? 1 : 7;
  buildWeb();
  const target = await startTarget();
  const browser = await startChromium();
  try {
    const { url } = target.parley;
    const quick: { cold: Visit; warm: Visit }[] = [];
    const slow: { cold: Visit; warm: Visit }[] = [];
    for (let i = 0; i < runs; i++) {
      quick.push(await fresh(browser, url, false));
      slow.push(await fresh(browser, url, true));
    }
    const context = await browser.newContext({ locale: 'en-GB' });
    await signedIn(context, target, smoke ? 2 : 20);
    const at: Visit[] = [];
    for (let i = 0; i < runs; i++) {
      const page = await context.newPage();
      at.push(await visit(page, url, SEARCH));
      await page.close();
    }
    const ms = (key: string, what: string, visits: readonly Visit[]) => ({
      key: `${key}_ms`,
      what,
      value: median(visits.map(v => v.ms)),
      unit: 'ms',
    });
    const cold = quick.map(q => q.cold);
    return [
      { key: 'cold_kb', what: 'first visit: transferred', value: median(cold.map(v => v.bytes)) / 1000, unit: 'kB' },
      { key: 'cold_requests', what: 'first visit: requests', value: median(cold.map(v => v.requests)), unit: '' },
      ms('cold', 'first visit: until the sign-in can be used', cold),
      ms(
        'slow_cold',
        'first visit on a slow line',
        slow.map(s => s.cold),
      ),
      ms(
        'warm',
        'second visit',
        quick.map(q => q.warm),
      ),
      ms(
        'slow_warm',
        'second visit on a slow line',
        slow.map(s => s.warm),
      ),
      {
        key: 'warm_kb',
        what: 'second visit: transferred',
        value: median(quick.map(q => q.warm.bytes)) / 1000,
        unit: 'kB',
      },
      ms('signed_in', 'signed in, 20 conversations: until the list can be used', at),
    ];
  } finally {
    await browser.close();
    await target.stop();
  }
};
