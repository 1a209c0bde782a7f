import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type ParleyUnderTest, startParley, until } from '@parley/testkit';
import type { Browser } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import { startChromium } from '../browser/chromium.ts';
import { check } from './src/check.ts';
import type { Journey, Traveller } from './src/journey.ts';
import type { Kind } from './src/page.ts';
import { traveller } from './src/traveller.ts';

describe('clients of others, on a page of another origin', () => {
  let parley: ParleyUnderTest;
  let chromium: Browser;
  let elsewhere: Server;
  let origin: string;
  let ada: Traveller;

  before(async () => {
    const script = await bundle();
    elsewhere = createServer((request, response) => {
      const page =
        request.url === '/page.js' ? script : '<!doctype html><script type="module" src="/page.js"></script>';
      response.setHeader('content-type', request.url === '/page.js' ? 'text/javascript' : 'text/html');
      response.end(page);
    });
    await new Promise<void>(resolve => {
      elsewhere.listen(0, '127.0.0.1', resolve);
    });
    origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
    parley = await startParley({ topology: 'standalone', config: { public: { corsOrigins: [origin] } } });
    chromium = await startChromium();
    ada = await traveller(parley);
  });
  after(async () => {
    elsewhere?.close();
    elsewhere?.closeAllConnections();
    await chromium?.close();
    await parley?.stop();
  });

  const sessions = async (n: number): Promise<void> => {
    const open = async () => (await parley.metric('parley_session_open_sessions')) === n;
    await until(`${n} sessions`, open);
  };

  for (const kind of ['grpcweb', 'grpcwebtext', 'connect-web'] as Kind[]) {
    it(`sign in, send, follow the stream and read refusals: ${kind}`, async () => {
      const page = await chromium.newPage();
      await page.goto(origin);
      await page.waitForFunction(() => typeof window.travel === 'function');
      await page.exposeFunction('sessions', sessions);
      const journey: Journey = await page.evaluate(([name, url, traveller]) => window.travel(name, url, traveller), [
        kind,
        parley.url,
        ada,
      ] as const);
      check(kind, journey);
      // A client that gives up leaves nothing behind.
      await sessions(0);
      await page.close();
    });
  }
});

/** The page's script with its libraries, as users of these clients bundle theirs. */
async function bundle(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: 'warn',
    root: import.meta.dirname,
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: `${import.meta.dirname}/src/page.ts`, formats: ['es'], fileName: 'page' },
    },
  })) as Rolldown.RolldownOutput[];
  const [chunk] = built.flatMap(output => output.output).filter(part => part.type === 'chunk');
  assert.ok(chunk);
  return chunk.code;
}
