import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createParleyClient, type ParleyClient } from '@parley/client';
import { type ParleyUnderTest, type PoolBackends, startParley } from '@parley/testkit';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { startChromium } from './chromium.ts';

/** Somebody made for a test. */
export interface TestPerson {
  readonly id: string;
  readonly address: string;
  readonly password: string;
  readonly displayName: string;
}

/** The product and a browser, for one test file. */
export interface World {
  readonly parley: ParleyUnderTest;
  /** Makes a person. */
  person(displayName: string, rest?: Partial<PersonRest>): Promise<TestPerson>;
  /** A browser of its own: nothing is shared with others. */
  browser(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** A tab that shows the product, signed in when a person is given and nobody is. */
  open(context: BrowserContext, person?: TestPerson, path?: string): Promise<Page>;
  /** The SDK as the administrator; not connected. */
  administrator(): Promise<ParleyClient>;
  /** The devices presence knows of a person, those that went lately among them. */
  devices(person: TestPerson): Promise<readonly Device[]>;
  /** The SDK, signed in and connected as a person, as if on another device. */
  sdk(person: TestPerson): Promise<ParleyClient>;
  /** Keeps a picture of the page under a name. */
  shot(page: Page, name: string): Promise<void>;
  /** Fails unless axe-core finds nothing against WCAG 2.2 AA. */
  accessible(page: Page, what: string): Promise<void>;
  stop(): Promise<void>;
}

/** A device as presence explains it. */
export type Device = Awaited<ReturnType<ParleyClient['services']['presence']['explainPresence']>>['endpoints'][number];

interface PersonRest {
  readonly department: string;
  readonly title: string;
  readonly language: string;
  readonly passwordChangeRequired: boolean;
}

/** Where pictures are kept. */
export const screenshots = process.env.PARLEY_TEST_SCREENSHOTS
  ? resolve(process.env.PARLEY_TEST_SCREENSHOTS)
  : mkdtempSync(join(tmpdir(), 'parley-screenshots-'));

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/**
 * Not looked at: the catchers of focus that the component library puts around an open menu; they are focusable and
 * hidden on purpose, and hand the focus on at once (data-tabster-dummy).
 */
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** How long a page may take to show something on a machine that has other things to do, milliseconds. */
const PATIENCE_MS = 60_000;

/** Starts the product, as a pool when there are servers for one, and Chromium. */
export async function startWorld(
  config: Readonly<Record<string, unknown>> = {},
  backends?: PoolBackends,
): Promise<World> {
  mkdirSync(screenshots, { recursive: true });
  const parley = await startParley(
    backends ? { topology: 'pool', backends, config } : { topology: 'standalone', config },
  );
  let chromium: Browser;
  try {
    chromium = await startChromium();
  } catch (error) {
    await parley.stop();
    throw error;
  }
  const clients: ParleyClient[] = [];
  const problems: string[] = [];

  async function client(address: string, password: string): Promise<ParleyClient> {
    const made = createParleyClient({ baseUrl: parley.url, name: 'browser-test' });
    clients.push(made);
    await made.signIn(address, password);
    return made;
  }
  let admin: Promise<ParleyClient> | undefined;
  const administrator = () => (admin ??= client(parley.administrator.address, parley.administrator.password));

  const world: World = {
    parley,
    async person(displayName, rest = {}) {
      const own = {
        address: `p${crypto.randomUUID().slice(0, 8)}@parley.example`,
        password: `pw-${crypto.randomUUID()}`,
      };
      const { account } = await (await administrator()).services.directoryAdmin.createPerson({
        requestId: crypto.randomUUID(),
        displayName,
        address: own.address,
        initialPassword: own.password,
        ...rest,
      });
      assert.ok(account?.person);
      return { id: account.person.id, displayName, ...own };
    },
    async browser(options = {}) {
      const context = await chromium.newContext({
        locale: 'en-GB',
        viewport: { width: 1180, height: 760 },
        ...options,
      });
      context.setDefaultTimeout(PATIENCE_MS);
      context.on('weberror', error => problems.push(`page error: ${error.error().stack ?? error.error().message}`));
      context.on('console', message => {
        // a server that is down, and passwords that are wrong, are tested on purpose
        const expected = /Failed to load resource|net::ERR/.test(message.text());
        if (message.type() === 'error' && !expected) problems.push(`console: ${message.text()}`);
      });
      context.on('request', request => {
        if (!request.url().startsWith(parley.url)) problems.push(`request to elsewhere: ${request.url()}`);
      });
      return context;
    },
    async open(context, person, path = '/') {
      const page = await context.newPage();
      await page.goto(`${parley.url}${path}`);
      if (person) await signIn(page, person);
      return page;
    },
    administrator,
    async devices({ id }) {
      const { presence } = (await administrator()).services;
      return (await presence.explainPresence({ viewerId: id, targetId: id })).endpoints;
    },
    async sdk(person) {
      const made = await client(person.address, person.password);
      await made.connect();
      return made;
    },
    async shot(page, name) {
      await still(page);
      await page.screenshot({ path: join(screenshots, `${name}.png`) });
    },
    async accessible(page, what) {
      await still(page);
      await page.evaluate(axe);
      const violations = await page.evaluate(async tags => {
        const { axe } = globalThis as unknown as { axe: typeof import('axe-core') }; // put into the page just before
        const { violations } = await axe.run(
          { exclude: ['[data-tabster-dummy]'] },
          {
            runOnly: { type: 'tag', values: tags },
            rules: { region: { enabled: false } }, // menus open at the end of the page, beyond all landmarks
          },
        );
        return violations.map(({ id, help, nodes }) => ({
          id,
          help,
          nodes: nodes.map(node => `${node.html.slice(0, 300)} ${node.failureSummary}`),
        }));
      }, WCAG);
      assert.deepEqual(violations, [], what);
    },
    async stop() {
      await Promise.all(clients.map(one => one.close()));
      await chromium.close();
      await parley.stop();
      console.log(`screenshots: ${screenshots}`);
      assert.deepEqual(problems, [], 'nothing went wrong on the pages');
    },
  };
  return world;
}

/** Waits until nothing fades or slides any longer. */
const still = (page: Page) =>
  page.waitForFunction(() => document.getAnimations().every(animation => animation.playState !== 'running'));

/** Fills in the form of the sign-in page. */
export async function signIn(page: Page, person: Pick<TestPerson, 'address' | 'password'>): Promise<void> {
  await page.locator('input[name=username]').fill(person.address);
  await page.locator('input[name=password]').fill(person.password);
  await page.locator('button[type=submit]').click();
  await page.locator('#people').waitFor();
}

/** The row of a person in the list. */
export const rowOf = (page: Page, person: TestPerson) => page.locator(`[data-person="${person.id}"]`);

/** Finds somebody by the search box and opens the conversation. */
export async function find(page: Page, person: TestPerson): Promise<void> {
  await page.getByRole('searchbox').fill(person.displayName.split(' ')[0] ?? '');
  await rowOf(page, person).click();
  await page.locator('#composer').waitFor();
}

/** Writes a message in the conversation that is open, and sends it with Enter. */
export async function write(page: Page, text: string): Promise<void> {
  await page.locator('#composer').fill(text);
  await page.locator('#composer').press('Enter');
}

/** A message with this text, in whatever state or in the one given. */
export const messageOf = (page: Page, text: string, state?: 'sending' | 'sent' | 'received' | 'failed') =>
  page.locator(state ? `[data-message=${state}]` : '[data-message]').filter({ hasText: text });
