import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ParleyClient } from '@parley/client';
import { type ProductProcess, until } from '@parley/testkit';
import type { Page } from 'playwright-core';
import { leaderOf } from './leader.ts';
import { find, messageOf, rowOf, startWorld, type TestPerson, type World, write } from './world.ts';

const { PARLEY_TEST_NATS_URL, PARLEY_TEST_KAFKA_BROKERS, PARLEY_TEST_MONGO_URL } = process.env;
const TABS = 10;
/** Things that need a second pass of a load balancer or of a client that comes back, on a machine with other work. */
const PATIENT = { timeoutMs: 60_000, everyMs: 100 };

describe('the web client of a pool, behind its load balancer', () => {
  let world: World;
  let mei: TestPerson;
  let tom: TestPerson;
  before(async () => {
    world = await startWorld(
      // the load balancer tells of a browser that went only when something is sent to it
      { session: { drainMs: 500, drainSpreadMs: 100, heartbeatMs: 4_000 } },
      {
        natsUrl: PARLEY_TEST_NATS_URL ?? '',
        kafkaBrokers: (PARLEY_TEST_KAFKA_BROKERS ?? '').split(','),
        mongoUrl: PARLEY_TEST_MONGO_URL ?? '',
      },
    );
    mei = await world.person('林美玲', { title: 'Surgeon', language: 'zh-TW' });
    tom = await world.person('Tom Okafor');
  });
  after(() => world?.stop());

  const streams = () => world.parley.metric('parley_session_open_sessions');
  const streamsOf = async (replica: ProductProcess) =>
    Number(/^parley_session_open_sessions(?:\{.*\})? (\d+)$/m.exec(await replica.metrics())?.[1] ?? 0);

  /** The one device of somebody, connected. */
  const deviceOf = (person: TestPerson) =>
    until(
      'one device to be connected',
      async () => {
        const [device, ...others] = await world.devices(person);
        assert.deepEqual(others, [], 'all tabs are one device');
        return device?.lostMs === 0n && device;
      },
      PATIENT,
    );

  it('is the same page from every replica, with a policy of its own for each answer', async () => {
    const pages = await Promise.all(Array.from({ length: 8 }, () => fetch(world.parley.url)));
    const scripts = new Set<string>();
    const policies = new Set<string>();
    for (const page of pages) {
      assert.equal(page.status, 200);
      policies.add(page.headers.get('content-security-policy') ?? '');
      scripts.add(/src="(\/assets\/[^"]+)"/.exec(await page.text())?.[1] ?? '');
    }
    assert.equal(policies.size, pages.length);
    const [script = '', ...others] = scripts;
    assert.deepEqual(others, []);
    const asset = await fetch(`${world.parley.url}${script}`, { headers: { 'accept-encoding': 'br' } });
    assert.equal(asset.status, 200);
    assert.equal(asset.headers.get('content-encoding'), 'br');
    assert.equal((await fetch(`${world.parley.url}/c/${mei.id}`)).status, 200);
    assert.equal((await fetch(`${world.parley.url}/assets/none.js`)).status, 404);
  });

  it('lets two people talk and see how the other is', async () => {
    const toms = await world.open(await world.browser(), tom);
    const meis = await world.open(await world.browser({ locale: 'zh-TW' }), mei);
    await find(toms, mei);
    await write(toms, 'Is ward 3 ready?');
    await messageOf(toms, 'ward 3', 'sent').waitFor();
    await rowOf(meis, tom).getByRole('img', { name: '1 則未讀' }).waitFor();
    await rowOf(meis, tom).click();
    await messageOf(meis, 'ward 3', 'received').waitFor();
    await write(meis, '三號病房已經準備好了 👍');
    await messageOf(toms, '三號病房', 'received').waitFor();

    const hers = toms.getByTestId('presence');
    await hers.getByText('Available', { exact: true }).waitFor();
    await meis.getByRole('button', { name: '林美玲' }).click();
    await meis.getByRole('menuitemradio', { name: '請勿打擾' }).click();
    await hers.getByText('Do not disturb', { exact: true }).waitFor();
    await rowOf(toms, mei).locator('[data-availability=do-not-disturb]').waitFor();
    await world.shot(toms, 'pool-talk');
    await meis.getByRole('button', { name: '林美玲' }).click();
    await meis.getByRole('menuitemradio', { name: '自動' }).click();
    await hers.getByText('Available', { exact: true }).waitFor();
    await toms.context().close();
    await meis.context().close();
  });

  it('has one stream and is one device in ten tabs, of which none waits for a free connection', async () => {
    const ana = await world.person('Ana Souza');
    const context = await world.browser();
    const first = await world.open(context, ana);
    const protocol = await first.evaluate(
      () => (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming).nextHopProtocol,
    );
    assert.equal(protocol, 'http/1.1', 'a browser opens six connections at most');
    await find(first, mei);
    await write(first, 'before the other tabs');
    await messageOf(first, 'before the other tabs', 'sent').waitFor();
    const tabs = [first];
    while (tabs.length < TABS) tabs.push(await world.open(context, undefined, new URL(first.url()).pathname));
    for (const tab of tabs) await messageOf(tab, 'before the other tabs').waitFor();
    await until('one stream', async () => (await streams()) === 1, PATIENT);
    const { endpointId } = await deviceOf(ana);
    const meis = await world.sdk(mei);
    for (const [i, tab] of tabs.entries()) await write(tab, `from tab ${i}.`);
    for (const tab of tabs) for (const i of tabs.keys()) await messageOf(tab, `from tab ${i}.`, 'sent').waitFor();
    await (tabs[4] as Page).reload();
    await messageOf(tabs[4] as Page, 'from tab 9.', 'sent').waitFor();

    const leader = await leaderOf(tabs);
    tabs.splice(tabs.indexOf(leader), 1);
    await leader.close();
    await meis.send(ana.id, '給每一個分頁').acknowledged;
    for (const tab of tabs) await messageOf(tab, '給每一個分頁', 'received').waitFor();
    await until('two streams', async () => (await streams()) === 2, PATIENT);
    assert.equal((await deviceOf(ana)).endpointId, endpointId);
    await meis.close();
    await context.close();
  });

  it('loads and goes on while the replica that held its stream is stopped', async () => {
    const ben = await world.person('Ben Haddad');
    const context = await world.browser();
    const page = await world.open(context, ben);
    await find(page, mei);
    await write(page, 'before anything stops');
    await messageOf(page, 'before anything stops', 'sent').waitFor();
    const replicas = world.parley.replicasOf('session');
    assert.equal(replicas.length, 2);
    await until('his to be the only stream', async () => (await streams()) === 1, PATIENT);
    const counts = await Promise.all(replicas.map(streamsOf));
    const [holder, other] = counts[0] === 1 ? replicas : replicas.toReversed();
    assert.ok(holder && other);
    const before = await deviceOf(ben);
    let meis: ParleyClient | undefined;

    // the page is loaded again; then it is left alone, and all streams are where they had to go
    for (const [stopped, word] of [
      [holder, 'loaded again'],
      [other, 'left alone'],
    ] as const) {
      await stopped.stop();
      if (stopped === holder) await page.reload();
      meis ??= await world.sdk(mei);
      await messageOf(page, 'before anything stops', 'sent').waitFor();
      await write(page, `written, ${word}`);
      await messageOf(page, `written, ${word}`, 'sent').waitFor();
      await meis.send(ben.id, `answered, ${word}`).acknowledged;
      await messageOf(page, `answered, ${word}`, 'received').waitFor();
      await page.getByTestId('offline').waitFor({ state: 'detached' });
      assert.equal(await messageOf(page, `written, ${word}`).count(), 1, 'shown once');
      const hers = meis.conversations.with(ben.id);
      const arrived = () => hers.getSnapshot().messages.filter(({ text }) => text === `written, ${word}`);
      await until('it to arrive', () => arrived().length > 0, PATIENT);
      assert.equal(arrived().length, 1, 'delivered once');
      const after = await deviceOf(ben);
      assert.equal(after.endpointId, before.endpointId);
      await stopped.start();
    }
    await world.shot(page, 'pool-after-stops');
    await context.close();
  });
});
