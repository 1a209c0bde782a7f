import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type AvailabilityClass, DeviceType, MachineState, PreferredAvailability } from '@parley/client';
import { until } from '@parley/testkit';
import { find, messageOf, rowOf, startWorld, type TestPerson, type World, write } from './world.ts';

describe('talking', () => {
  let world: World;
  let mei: TestPerson;
  let tom: TestPerson;
  before(async () => {
    // a cursor that lags less: a page that is loaded again soon has only the newest page of history
    world = await startWorld({
      im: { keyVisibleMs: 1_500, cursorLagMs: 2_000, sendRatePerSecond: 200, sendBurst: 200 },
    });
    mei = await world.person('林美玲', { title: 'Surgeon', department: 'Surgery', language: 'zh-TW' });
    tom = await world.person('Tom Okafor', { title: 'Anaesthetist', department: 'Surgery' });
  });
  after(() => world?.stop());

  it('brings words in both languages and emoji to the other browser, with live presence beside them', async () => {
    const toms = await world.open(await world.browser(), tom);
    const meis = await world.open(await world.browser({ locale: 'zh-TW' }), mei);
    await toms.getByText('Nobody here yet').waitFor();
    await world.shot(toms, 'empty');
    await find(toms, mei);
    await toms.getByText('No messages yet').waitFor();
    await world.shot(toms, 'new-conversation');
    await write(toms, 'Good morning! Is ward 3 ready? The plan: https://intranet.example/plan_(3).');
    await messageOf(toms, 'ward 3', 'sent').waitFor();
    await toms.getByText('Sent', { exact: true }).waitFor();

    await rowOf(meis, tom).getByRole('img', { name: '1 則未讀' }).waitFor();
    assert.match(await meis.title(), /^\(1\)/);
    await world.shot(meis, 'unread-zh');
    await rowOf(meis, tom).click();
    await messageOf(meis, 'ward 3', 'received').waitFor();
    await meis.getByText('新訊息', { exact: true }).waitFor();
    await rowOf(meis, tom).getByRole('img').waitFor({ state: 'detached' });
    await write(meis, '早安！三號病房已經準備好了 👩🏽‍⚕️🎉\n第二行 👍');
    await messageOf(toms, '三號病房', 'received').waitFor();
    assert.equal(await messageOf(toms, '三號病房').innerText(), '早安！三號病房已經準備好了 👩🏽‍⚕️🎉\n第二行 👍');

    const link = toms.getByRole('link', { name: 'https://intranet.example/plan_(3)' });
    assert.equal(await link.getAttribute('rel'), 'noopener noreferrer nofollow');
    assert.equal(await link.getAttribute('target'), '_blank');

    assert.equal(await toms.getByTestId('presence').innerText(), 'Available');
    await meis.getByRole('button', { name: '林美玲' }).click();
    await world.shot(meis, 'menu-zh');
    await world.accessible(meis, 'own menu');
    await meis.getByRole('menuitemradio', { name: '請勿打擾' }).click();
    await toms.getByTestId('presence').getByText('Do not disturb').waitFor();
    await rowOf(toms, mei).locator('[data-availability=do-not-disturb]').waitFor();
    await meis.getByRole('button', { name: '林美玲' }).getByText('請勿打擾').waitFor();
    await world.shot(toms, 'talk');
    await world.shot(meis, 'talk-zh');

    await meis.getByRole('button', { name: '林美玲' }).click();
    await meis.getByRole('menuitem', { name: '新增附註' }).click();
    await meis.getByRole('textbox', { name: '個人附註' }).fill('手術中，下午三點後回覆');
    await world.shot(meis, 'note-zh');
    await world.accessible(meis, 'dialog of the note');
    await meis.keyboard.press('Enter');
    await toms.getByText('手術中，下午三點後回覆').first().waitFor();
    await meis.getByRole('button', { name: '林美玲' }).click();
    await meis.getByRole('menuitemradio', { name: '自動' }).click();
    await toms.getByTestId('presence').getByText('Available').waitFor();
    await meis.context().close();
    await toms.context().close();
  });

  it('shows each state by a shape and a word of its own, whatever its colour', async () => {
    const [sam, noor] = [await world.person('Sam Lindqvist'), await world.person('Noor Haddad')];
    const sams = await world.sdk(sam);
    const page = await world.open(await world.browser(), noor);
    await find(page, sam);
    // what makes each, one after the other
    const ways: Readonly<Record<AvailabilityClass, () => Promise<unknown>>> = {
      available: () => sams.reportActivity(MachineState.ACTIVE),
      inactive: () => sams.reportActivity(MachineState.INACTIVE),
      'busy-idle': () => sams.setPresence(PreferredAvailability.BUSY),
      busy: () => sams.reportActivity(MachineState.ACTIVE),
      'do-not-disturb': () => sams.setPresence(PreferredAvailability.DO_NOT_DISTURB),
      'be-right-back': () => sams.setPresence(PreferredAvailability.BE_RIGHT_BACK),
      away: () => sams.setPresence(PreferredAvailability.AWAY),
      offline: () => sams.close(),
      unknown: () => page.goto(`${world.parley.url}/c/${crypto.randomUUID()}`),
    };
    const shapes = new Map<string, string>();
    const words = new Map<string, string>();
    for (const [state, way] of Object.entries(ways)) {
      await way();
      const sign = page.locator(`main svg[data-availability=${state}]`);
      await sign.waitFor();
      const shape = (await sign.innerHTML()).replaceAll(/ (?:fill|stroke)="[^"]*"/g, '');
      const word = await page.getByTestId('presence').innerText();
      assert.notEqual(word, '');
      assert.equal(shapes.get(shape), undefined, `${state} looks like another state`);
      assert.equal(words.get(word), undefined, `${state} is called like another state`);
      shapes.set(shape, state);
      words.set(word, state);
    }
    await page.context().close();
  });

  it('shows text as text, whatever it looks like, in its own direction', async () => {
    const toms = await world.open(await world.browser(), tom);
    await find(toms, mei);
    const nasty = '<img src=x onerror="document.title=1"><b>bold</b> &amp; javascript:alert(1)';
    await write(toms, nasty);
    await messageOf(toms, 'onerror', 'sent').waitFor();
    assert.equal(await messageOf(toms, 'onerror').innerText(), nasty);
    assert.equal(await toms.locator('[data-message] img, [data-message] b').count(), 0);
    assert.equal(await messageOf(toms, 'onerror').getByRole('link').count(), 0);
    await write(toms, 'שלום! ward 3 מוכן\nsecond line');
    const paragraph = messageOf(toms, 'מוכן', 'sent').locator('p');
    await paragraph.waitFor();
    assert.equal(await paragraph.evaluate(p => getComputedStyle(p).direction), 'rtl');
    await toms.context().close();
  });

  it('pages history upwards, keeps the place, counts what came while away', async () => {
    const [ana, wei] = [await world.person('Ana Souza'), await world.person('陳志偉')];
    const weis = await world.sdk(wei);
    const many = Array.from({ length: 150 }, (_, i) => `entry ${i + 1} of the day`);
    await Promise.all(many.map(text => weis.send(ana.id, text).acknowledged));
    const page = await world.open(await world.browser(), ana);
    await rowOf(page, wei).getByRole('img', { name: '150 unread' }).waitFor();
    await rowOf(page, wei).click();
    await messageOf(page, 'entry 150 of', 'received').waitFor();
    await page.getByRole('button', { name: 'Latest messages' }).waitFor({ state: 'detached' });
    await rowOf(page, wei).getByRole('img').waitFor({ state: 'detached' });
    const list = page.locator('#messages');
    const onlyNewest = async () => (await messageOf(page, 'entry 105 of').count()) === 0;
    await until('only the newest page of history to be loaded', async () => {
      await page.reload();
      await messageOf(page, 'entry 150 of', 'received').waitFor();
      await messageOf(page, 'entry 111 of').waitFor({ state: 'attached' });
      if (!(await onlyNewest())) return false;
      await page.waitForTimeout(300); // the next page may be on its way
      return onlyNewest();
    });
    const place = await messageOf(page, 'entry 111 of').evaluate(message => {
      message.closest('#messages')?.scrollTo({ top: 100 });
      return message.getBoundingClientRect().y;
    });
    await messageOf(page, 'entry 60 of').waitFor({ state: 'attached' });
    const at = () => messageOf(page, 'entry 111 of').evaluate(message => message.getBoundingClientRect().y);
    await until('the place to be kept', async () => Math.abs((await at()) - place) < 20);
    await world.shot(page, 'history');
    await messageOf(page, 'entry 60 of').scrollIntoViewIfNeeded();
    await messageOf(page, 'entry 1 of').waitFor({ state: 'attached' });
    await list.focus();
    await page.keyboard.press('Home');
    await page.getByText('This is where your conversation').waitFor();
    await until('the list to rest at its beginning', () => list.evaluate(box => box.scrollTop === 0));
    await weis.send(ana.id, 'while she reads what was').acknowledged;
    await messageOf(page, 'while she reads').waitFor({ state: 'attached' });
    await until('one unread message in the title', async () => (await page.title()).startsWith('(1)'));
    await page.getByRole('button', { name: 'Latest messages' }).click();
    await until('nothing unread', async () => !(await page.title()).startsWith('('));
    // she scrolls, and a message comes before the browser tells of it
    await list.evaluate(box => {
      document.addEventListener('scroll', event => event.stopImmediatePropagation(), { capture: true, once: true });
      box.scrollBy({ top: -1_000 });
    });
    const left = await list.evaluate(box => box.scrollTop);
    await weis.send(ana.id, 'just as she goes back').acknowledged;
    await messageOf(page, 'just as she goes back').waitFor({ state: 'attached' });
    await page.waitForTimeout(300);
    assert.equal(await list.evaluate(box => box.scrollTop), left);
    await page.context().close();
  });

  it('does not send with the Enter of an input method, nor with Shift and Enter', async () => {
    const page = await world.open(await world.browser({ locale: 'zh-TW' }), mei);
    await find(page, tom);
    const box = page.locator('#composer');
    const cdp = await page.context().newCDPSession(page);
    const keys: string[] = [];
    await page.exposeFunction('sawKey', (key: string) => void keys.push(key));
    await box.evaluate(area =>
      (area as HTMLElement).addEventListener('keydown', event =>
        (globalThis as unknown as { sawKey(key: string): void }).sawKey(`${event.key} ${event.isComposing}`),
      ),
    );
    await box.focus();
    await cdp.send('Input.imeSetComposition', { text: 'ㄓㄨㄥ', selectionStart: 3, selectionEnd: 3 });
    const enter = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, nativeVirtualKeyCode: 13 };
    await cdp.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...enter });
    await cdp.send('Input.dispatchKeyEvent', { type: 'keyUp', ...enter });
    await until('the Enter to come while composing', () => keys.includes('Enter true'));
    assert.match(await box.inputValue(), /ㄓㄨㄥ/, 'what is being composed is still there');
    await cdp.send('Input.insertText', { text: '中午見' });
    // some browsers end the composition first and mark the key by its code alone
    const init = { key: 'Enter', keyCode: 229, bubbles: true, cancelable: true };
    const prevented = await box.evaluate((area, init) => !area.dispatchEvent(new KeyboardEvent('keydown', init)), init);
    assert.equal(prevented, false, 'the key is left to the input method');
    assert.equal(await box.inputValue(), '中午見');
    await box.press('Shift+Enter');
    await box.pressSequentially('好嗎？');
    assert.equal(await box.inputValue(), '中午見\n好嗎？');
    await box.press('Enter');
    await messageOf(page, '中午見', 'sent').waitFor();
    assert.equal(await messageOf(page, '中午見').innerText(), '中午見\n好嗎？');
    assert.equal(await box.inputValue(), '');
    await page.context().close();
  });

  it('says what was refused and sends it again when its author wants to', async () => {
    const gone = await world.person('Gone Soon');
    const admin = await world.administrator();
    const page = await world.open(await world.browser(), tom);
    await find(page, gone);
    await write(page, 'before');
    await messageOf(page, 'before', 'sent').waitFor();
    await admin.services.directoryAdmin.setAccountState({ person: gone.id, state: 2 });
    await until('the account to be disabled everywhere', async () => {
      await write(page, 'are you there?');
      await messageOf(page, 'are you there?').last().waitFor();
      return page
        .locator('[data-message=failed]')
        .first()
        .waitFor({ timeout: 1_500 })
        .then(
          () => true,
          () => false,
        );
    });
    await page.getByText('This person can no longer be written to.').first().waitFor();
    await world.shot(page, 'failed');
    await world.accessible(page, 'a message that failed');
    await page.reload();
    await page.locator('[data-message=failed]').waitFor();
    await admin.services.directoryAdmin.setAccountState({ person: gone.id, state: 1 });
    await until('it to be sent', async () => {
      await page
        .getByRole('button', { name: 'Send again' })
        .click({ timeout: 1_000 })
        .catch(() => undefined);
      return page
        .locator('[data-message=failed]')
        .waitFor({ state: 'detached', timeout: 1_500 })
        .then(
          () => true,
          () => false,
        );
    });
    await messageOf(page, 'are you there?', 'sent').last().waitFor();
    await page.context().close();
  });

  it('follows what the same person does on another device', async () => {
    const lee = await world.person('Lee Chang');
    const other = await world.sdk(lee);
    const page = await world.open(await world.browser(), lee);
    await page.locator('#people').waitFor();
    await other.send(tom.id, 'written on the phone').acknowledged;
    await rowOf(page, tom).getByText('You: written on the phone').waitFor();
    await other.setPresence(PreferredAvailability.BE_RIGHT_BACK);
    await page.getByRole('button', { name: 'Lee Chang' }).getByText('Be right back').waitFor();
    await until('both devices to be known', async () => {
      const devices = (await world.devices(lee)).map(({ device }) => device).sort((a, b) => a - b);
      assert.deepEqual(devices, [DeviceType.COMPUTER, DeviceType.WEB]);
      return true;
    });
    await page.context().close();
  });
});
