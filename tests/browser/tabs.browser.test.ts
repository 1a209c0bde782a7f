import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '@parley/testkit';
import type { Page } from 'playwright-core';
import { leaderOf, leads } from './leader.ts';
import { find, messageOf, rowOf, startWorld, type TestPerson, type World, write } from './world.ts';

const TABS = 10;

describe('the tabs of one browser', () => {
  let world: World;
  let mei: TestPerson;
  let tom: TestPerson;
  before(async () => {
    world = await startWorld();
    mei = await world.person('林美玲', { language: 'zh-TW' });
    tom = await world.person('Tom Okafor');
  });
  after(() => world?.stop());

  const streams = () => world.parley.metric('parley_session_open_sessions');
  /** Id of the one device that presence knows of somebody, when it is connected. */
  const deviceOf = (person: TestPerson) =>
    until(
      'one device to be connected',
      async () => {
        const [device, ...others] = await world.devices(person);
        assert.deepEqual(others, [], 'all tabs are one device');
        return device?.lostMs === 0n && device.endpointId;
      },
      { timeoutMs: 60_000 },
    );

  it('are one client: ten of them with one stream, whichever of them is closed', async () => {
    const context = await world.browser();
    const first = await world.open(context, tom);
    await find(first, mei);
    await write(first, 'before the other tabs');
    await messageOf(first, 'before the other tabs', 'sent').waitFor();
    const path = new URL(first.url()).pathname;
    const tabs = [first];
    while (tabs.length < TABS) tabs.push(await world.open(context, undefined, path));
    for (const tab of tabs) await messageOf(tab, 'before the other tabs').waitFor();
    await until('one stream', async () => (await streams()) === 1);

    await write(tabs[4] as Page, 'from the fifth tab');
    for (const tab of tabs) await messageOf(tab, 'from the fifth tab', 'sent').waitFor();
    const meis = await world.sdk(mei);
    await until('two streams', async () => (await streams()) === 2);
    await meis.send(tom.id, '給每一個分頁').acknowledged;
    for (const tab of tabs) await messageOf(tab, '給每一個分頁', 'received').waitFor();
    const device = await deviceOf(tom);

    // three leaders in a row are closed, each with a message on its way
    for (let round = 1; round <= 3; round++) {
      const leader = await leaderOf(tabs);
      tabs.splice(tabs.indexOf(leader), 1);
      const writer = tabs[round] as Page;
      await writer.locator('#composer').fill(`while leader ${round} goes`);
      await Promise.all([leader.close(), writer.locator('#composer').press('Enter')]);
      await meis.send(tom.id, `for whoever leads after ${round}`).acknowledged;
      for (const tab of tabs) {
        await messageOf(tab, `while leader ${round} goes`, 'sent').waitFor();
        await messageOf(tab, `for whoever leads after ${round}`, 'received').waitFor();
        assert.equal(await messageOf(tab, `while leader ${round} goes`).count(), 1, 'shown once');
        await messageOf(tab, 'before the other tabs').waitFor({ state: 'attached' });
      }
      const texts = meis.conversations
        .with(tom.id)
        .getSnapshot()
        .messages.map(message => message.text);
      assert.equal(texts.filter(text => text === `while leader ${round} goes`).length, 1, 'delivered once');
      await until('two streams again', async () => (await streams()) === 2);
      assert.equal(await deviceOf(tom), device, 'the same device, whichever tab leads');
    }
    const [one] = (await meis.services.presence.getPresence({ personIds: [tom.id] })).views;
    assert.ok((one?.availability ?? 0) < 18_000, 'nobody saw him go');
    await world.shot(tabs[0] as Page, 'after-three-leaders');

    // one state for all
    await (tabs[0] as Page).getByRole('button', { name: 'Tom Okafor' }).click();
    await (tabs[0] as Page).getByRole('menuitemradio', { name: 'Away' }).click();
    for (const tab of tabs) await tab.getByRole('button', { name: 'Tom Okafor' }).getByText('Away').waitFor();
    await meis.close();
    await context.close();
  });

  it('do not wait for a leader that hangs', async () => {
    const eve = await world.person('Eve Adams');
    const context = await world.browser();
    const first = await world.open(context, eve);
    const second = await world.open(context);
    await find(second, mei);
    await write(second, 'while nothing hangs');
    await messageOf(second, 'while nothing hangs', 'sent').waitFor();
    for (const tab of [first, second]) await rowOf(tab, mei).waitFor();
    const device = await deviceOf(eve);
    const leader = await leaderOf([first, second]);
    const other = leader === first ? second : first;
    await rowOf(other, mei).click();
    await other.locator('#composer').waitFor();
    // a page whose script does not run: it holds its lock and answers nothing
    const cdp = await context.newCDPSession(leader);
    await cdp.send('Debugger.enable');
    await cdp.send('Debugger.pause');
    void leader.evaluate(() => undefined).catch(() => undefined);
    await cdp.send('Runtime.evaluate', { expression: '1' }).catch(() => undefined);
    await write(other, 'the other tab hangs');
    await messageOf(other, 'the other tab hangs', 'sent').waitFor();
    assert.equal(await leads(other), true);
    assert.equal(await deviceOf(eve), device, 'the same device while its first tab hangs');
    await until('one stream', async () => (await streams()) === 1);
    await cdp.send('Debugger.resume');
    await rowOf(leader, mei).getByText('You: the other tab hangs').waitFor();
    assert.equal(await leads(leader), false);
    await until('one stream still', async () => (await streams()) === 1);
    assert.equal(await deviceOf(eve), device, 'the same device after it went on');
    await context.close();
  });

  it('come back by themselves when the server was away, and send what was written meanwhile', async () => {
    const context = await world.browser();
    const page = await world.open(context, tom);
    await find(page, mei);
    const [server] = world.parley.processes;
    assert.ok(server);
    await server.stop();
    await page.getByTestId('offline').waitFor();
    await write(page, 'written without a server');
    await messageOf(page, 'written without a server', 'sending').waitFor();
    await page.getByText('Sending…').waitFor();
    await world.shot(page, 'offline');
    await world.accessible(page, 'without a server');
    await server.start();
    await page.getByTestId('offline').waitFor({ state: 'detached', timeout: 60_000 });
    await messageOf(page, 'written without a server', 'sent').waitFor();
    const meis = await world.sdk(mei);
    await meis.send(tom.id, 'welcome back').acknowledged;
    await messageOf(page, 'welcome back', 'received').waitFor();
    assert.equal(await messageOf(page, 'written without a server').count(), 1);
    await page.reload();
    await messageOf(page, 'welcome back', 'received').waitFor();
    await context.close();
  });

  it('are told when an administrator ends the sign-in', async () => {
    const ana = await world.person('Ana Souza');
    const context = await world.browser();
    const tabs = [await world.open(context, ana), await world.open(context)];
    const admin = await world.administrator();
    await admin.services.directoryAdmin.signOutPerson({ person: ana.id });
    for (const tab of tabs) await tab.getByText('Your sign-in has ended.').waitFor({ timeout: 40_000 });
    await context.close();
  });
});
