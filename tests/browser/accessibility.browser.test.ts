import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { PreferredAvailability } from '@parley/client';
import { until } from '@parley/testkit';
import { find, messageOf, rowOf, startWorld, type TestPerson, type World, write } from './world.ts';

const LONG = 'Maximiliane Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh the Younger';

describe('the web client for everybody', () => {
  let world: World;
  let tom: TestPerson;
  let others: TestPerson[];
  before(async () => {
    world = await startWorld();
    tom = await world.person('Tom Okafor', { title: 'Anaesthetist', department: 'Surgery' });
    others = [
      await world.person('林美玲', { title: '外科醫師', department: '外科部一般外科' }),
      await world.person(LONG, { title: 'Deputy head', department: 'Department of long names' }),
      await world.person('歐陽娜娜・阿里巴巴・卡拉馬佐夫・杜斯妥也夫斯基・托爾斯泰'),
      await world.person('مريم العلي', { title: 'طبيبة' }),
      await world.person('王怡君', { department: '掛號處' }),
    ];
    const states = [
      PreferredAvailability.BUSY,
      PreferredAvailability.DO_NOT_DISTURB,
      PreferredAvailability.BE_RIGHT_BACK,
      PreferredAvailability.OFF_WORK,
    ];
    for (const [i, person] of others.entries()) {
      const client = await world.sdk(person);
      const state = states[i];
      if (state !== undefined) await client.setPresence(state);
      if (i === 1) await client.setNote('Out until the renovation of the third floor is finished, ask the front desk');
      await client.send(tom.id, `${'一二三四五六七八九十'.repeat(i * 4)} hello from ${i}`).acknowledged;
      await client.send(tom.id, i === 3 ? 'صباح الخير، هل الغرفة 3 جاهزة؟' : '👍🏽').acknowledged;
    }
  });
  after(() => world?.stop());

  for (const [name, options] of [
    ['light-en', { colorScheme: 'light', locale: 'en-US' }],
    ['dark-en', { colorScheme: 'dark', locale: 'en-US' }],
    ['light-zh', { colorScheme: 'light', locale: 'zh-TW' }],
    ['dark-zh', { colorScheme: 'dark', locale: 'zh-TW' }],
    ['contrast', { colorScheme: 'dark', forcedColors: 'active', locale: 'en-GB' }],
  ] as const) {
    it(`has no violation of WCAG 2.2 AA on any screen (${name})`, async () => {
      const page = await world.open(await world.browser(options));
      await page.locator('input[name=username]').waitFor();
      await world.shot(page, `a11y-${name}-sign-in`);
      await world.accessible(page, 'sign-in');
      await page.locator('input[name=username]').fill(tom.address);
      await page.locator('input[name=password]').fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByRole('alert').waitFor();
      await world.accessible(page, 'sign-in refused');
      await page.locator('input[name=password]').fill(tom.password);
      await page.keyboard.press('Enter');
      for (const person of others) await rowOf(page, person).waitFor();
      await world.shot(page, `a11y-${name}-list`);
      await world.accessible(page, 'list of people');
      const [mei, long] = others as [TestPerson, TestPerson];
      await rowOf(page, long).click();
      await messageOf(page, 'hello from 1', 'received').waitFor();
      await write(
        page,
        `Seen in ${name}. See https://intranet.example/a/very/long/path/that/does/not/end/soon?and=it&has=a&query=too, please.`,
      );
      await messageOf(page, `Seen in ${name}.`, 'sent').waitFor();
      await world.shot(page, `a11y-${name}-talk`);
      await world.accessible(page, 'conversation');
      await rowOf(page, others[3] as TestPerson).click();
      await messageOf(page, 'hello from 3').waitFor();
      await world.shot(page, `a11y-${name}-rtl`);
      await world.accessible(page, 'conversation from right to left');
      await page.getByRole('searchbox').fill('nobody is called so');
      await page.getByText(/“|「/).first().waitFor();
      await world.shot(page, `a11y-${name}-nobody`);
      await world.accessible(page, 'search without result');
      await page.getByRole('searchbox').fill('林');
      await rowOf(page, mei).waitFor();
      await world.accessible(page, 'search');
      await page.getByRole('searchbox').fill('');
      await page.locator('button[aria-haspopup=menu]').click();
      await page.getByRole('menu').waitFor();
      await world.shot(page, `a11y-${name}-menu`);
      await world.accessible(page, 'menu');
      await page.keyboard.press('Escape');
      await page.context().close();
    });
  }

  it('works on a narrow screen, and enlarged twice and four times', async () => {
    const context = await world.browser({
      viewport: { width: 320, height: 600 } /* 1280 pixels, enlarged four times */,
      hasTouch: true,
    });
    const page = await world.open(context);
    await page.locator('input[name=username]').waitFor();
    await world.shot(page, 'narrow-sign-in');
    await world.accessible(page, 'narrow sign-in');
    await page.locator('input[name=username]').fill(tom.address);
    await page.locator('input[name=password]').fill(tom.password);
    await page.keyboard.press('Enter');
    const [mei, long] = others as [TestPerson, TestPerson];
    await rowOf(page, mei).waitFor();
    await world.shot(page, 'narrow-list');
    await rowOf(page, long).click();
    await messageOf(page, 'hello from 1').waitFor();
    await world.shot(page, 'narrow-talk');
    await world.accessible(page, 'narrow conversation');
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok((await overflow()) <= 0, 'nothing beyond the edge of the screen');
    await page.getByRole('button', { name: 'Back to people' }).click();
    await until('the keyboard to be back at the person', () =>
      page.evaluate(id => (document.activeElement as HTMLElement | null)?.dataset['person'] === id, long.id),
    );
    await page.setViewportSize({ width: 720, height: 450 }); // 1440 x 900, enlarged twice
    await rowOf(page, mei).click();
    await messageOf(page, 'hello from 0').waitFor();
    await world.shot(page, 'enlarged');
    assert.ok((await overflow()) <= 0, 'nothing beyond the edge of the screen');
    await context.close();
  });

  for (const colorScheme of ['light', 'dark'] as const)
    it(`has no violation with pinned people, nor where a sign-in has ended (${colorScheme})`, async () => {
      const ana = await world.person('Ana Souza');
      const page = await world.open(await world.browser({ colorScheme }), ana);
      const [mei, long] = others as [TestPerson, TestPerson];
      for (const person of [mei, long]) {
        await find(page, person);
        await page.getByRole('button', { name: 'Pin to your list' }).click();
        await page.getByRole('button', { name: 'Unpin' }).waitFor();
      }
      await find(page, tom);
      await page.getByRole('heading', { level: 2, name: 'Pinned' }).waitFor();
      for (const person of [mei, long, tom]) await rowOf(page, person).waitFor();
      await world.shot(page, `a11y-${colorScheme}-pinned`);
      await world.accessible(page, 'list with pinned people');
      await (await world.administrator()).services.directoryAdmin.signOutPerson({ person: ana.id });
      await page.getByText('Your sign-in has ended.').waitFor();
      await world.shot(page, `a11y-${colorScheme}-ended`);
      await world.accessible(page, 'sign-in that has ended');
      await page.context().close();
    });

  it('tells those who listen what comes, and nothing that was there before', async () => {
    const page = await world.open(await world.browser(), tom);
    const [mei, long] = others as [TestPerson, TestPerson];
    await find(page, mei);
    await messageOf(page, 'hello from 0').waitFor({ state: 'attached' });
    const heard = page.getByTestId('announcer');
    assert.doesNotMatch(await heard.innerText(), /hello from/);
    await (await world.sdk(mei)).send(tom.id, '聽得到嗎？').acknowledged;
    await heard.getByText('林美玲: 聽得到嗎？').waitFor({ state: 'attached' });
    await (await world.sdk(long)).send(tom.id, 'elsewhere').acknowledged;
    await heard.getByText(`New message from ${LONG}`).waitFor({ state: 'attached' });
    await page.context().close();
  });
});
