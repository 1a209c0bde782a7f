import { after, before, describe, it } from 'node:test';
import { type ParleyUnderTest, startParley, until } from '@parley/testkit';
import { check } from './src/check.ts';
import { connectWeb, officialClient } from './src/foreign-clients.ts';
import { type Traveller, travel } from './src/journey.ts';
import type { Kind } from './src/page.ts';
import { traveller } from './src/traveller.ts';
import { NodeXmlHttpRequest } from './src/xhr.ts';

Object.assign(globalThis, { XMLHttpRequest: NodeXmlHttpRequest });

describe('clients of others', () => {
  let parley: ParleyUnderTest;
  let ada: Traveller;

  before(async () => {
    parley = await startParley({ topology: 'standalone' });
    ada = await traveller(parley);
  });
  after(() => parley?.stop());

  const sessions = async (n: number): Promise<void> => {
    const open = async () => (await parley.metric('parley_session_open_sessions')) === n;
    await until(`${n} sessions`, open);
  };

  for (const kind of ['grpcweb', 'grpcwebtext', 'connect-web'] satisfies Kind[]) {
    it(`sign in, send, follow the stream and read refusals: ${kind}`, async () => {
      const client =
        kind === 'connect-web'
          ? connectWeb(parley.url)
          : officialClient(parley.url, kind === 'grpcweb' ? 'binary' : 'text');
      check(kind, await travel(client, ada, sessions));
      // A client that gives up leaves nothing behind.
      await sessions(0);
    });
  }
});
