import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '@parley/testkit';
import type { Locator, Page } from 'playwright-core';
import { find, messageOf, rowOf, startWorld, type TestPerson, type World, write } from './world.ts';

/** More steps than any way on a page takes. */
const MOST_STEPS = 30;

const hasFocus = (element: Locator) => element.evaluate(it => it === document.activeElement);
/** Waits until a place that gets the focus by itself has it. */
const focusedBySelf = (element: Locator) =>
  until('the focus to be there', () => hasFocus(element), { timeoutMs: 60_000 });

/** Presses a key until `element` has the focus. */
async function reach(element: Locator, key: 'Tab' | 'Shift+Tab' | 'ArrowDown' | 'ArrowUp'): Promise<void> {
  await element.waitFor();
  for (let step = 0; step < MOST_STEPS; step++) {
    if (await hasFocus(element)) return;
    await element.page().keyboard.press(key);
  }
  assert.fail(`${key} does not lead to ${element}`);
}

describe('the keyboard', () => {
  let world: World;
  let tom: TestPerson;
  before(async () => {
    world = await startWorld({ im: { sendRatePerSecond: 200, sendBurst: 200 } });
    tom = await world.person('Tom Okafor', { title: 'Anaesthetist', department: 'Surgery' });
  });
  after(() => world?.stop());

  it('is enough to find somebody, to talk, to pin and to choose a state', async () => {
    const [ben, ivy] = [await world.person('Ben Haddad'), await world.person('王怡君')];
    const bens = await world.sdk(ben);
    await bens.send(ivy.id, 'hello Ivy').acknowledged;
    const page = await world.open(await world.browser());
    await page.locator('input[name=username]').waitFor();
    await page.keyboard.type(ivy.address);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ivy.password);
    await page.keyboard.press('Enter');
    await rowOf(page, ben).waitFor();

    const focused = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || '');
    await page.keyboard.press('Tab');
    assert.match(await focused(), /Skip to people/);
    await world.shot(page, 'skip-link');
    await page.keyboard.press('Enter');
    assert.match(await focused(), /Ben Haddad/);
    await page.keyboard.press('Enter');
    await until('the writing box to have the focus', async () => (await focused()) === 'composer');
    await page.keyboard.type('answered without a mouse');
    await page.keyboard.press('Enter');
    await messageOf(page, 'without a mouse', 'sent').waitFor();

    // find somebody else: from the list up to the search box, then down into what was found
    await reach(page.getByRole('searchbox'), 'Shift+Tab');
    await page.keyboard.type('Tom');
    await rowOf(page, tom).waitFor();
    await page.keyboard.press('ArrowDown');
    assert.match(await focused(), /Tom Okafor/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Tom Okafor' }).waitFor();
    await until('the writing box to have the focus', async () => (await focused()) === 'composer');

    // pin him, and walk the list with the arrow keys
    await reach(page.getByRole('button', { name: 'Pin to your list' }), 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 2, name: 'Pinned' }).waitFor();
    await reach(rowOf(page, tom), 'Shift+Tab');
    await page.keyboard.press('ArrowDown');
    assert.match(await focused(), /Ben Haddad/);
    await page.keyboard.press('Home');
    assert.match(await focused(), /Tom Okafor/);
    assert.equal(await page.locator('[data-person][tabindex="0"]').count(), 1, 'one stop for Tab in the list');

    // own state by keyboard
    await reach(page.getByRole('button', { name: '王怡君' }), 'Shift+Tab');
    await page.keyboard.press('Enter');
    await reach(page.getByRole('menuitemradio', { name: 'Busy', exact: true }), 'ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: '王怡君' }).getByText('Busy').waitFor();
    await page.keyboard.press('Escape');

    // reload: pins and conversation are where they were
    await page.reload();
    await page.getByRole('heading', { level: 2, name: 'Pinned' }).waitFor();
    await page.getByRole('heading', { level: 1, name: 'Tom Okafor' }).waitFor();
    await page.context().close();
  });

  /** Opens the menu of somebody and chooses an entry. */
  async function choose(page: Page, person: TestPerson, entry: string): Promise<Locator> {
    const menu = page.getByRole('button', { name: person.displayName });
    await reach(menu, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await reach(page.getByRole('menuitem', { name: entry }), 'ArrowDown');
    await page.keyboard.press('Enter');
    return menu;
  }

  it('is enough for the note, the password and signing out, and is where it was afterwards', async () => {
    const rosa = await world.person('Rosa Lindqvist');
    const page = await world.open(await world.browser(), rosa);
    await find(page, tom);
    await focusedBySelf(page.locator('#composer'));
    const dialog = page.getByRole('dialog');

    const menu = await choose(page, rosa, 'Add a note');
    await focusedBySelf(dialog.getByRole('textbox'));
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await focusedBySelf(menu);
    await choose(page, rosa, 'Add a note');
    await focusedBySelf(dialog.getByRole('textbox'));
    await page.keyboard.type('Back at three');
    await reach(dialog.getByRole('button', { name: 'Save' }), 'Tab');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await menu.getByText('Back at three').waitFor();
    await focusedBySelf(menu);

    const next = 'rosa has another one';
    await choose(page, rosa, 'Change password');
    const present = dialog.locator('input[name=current-password]');
    await focusedBySelf(present);
    await page.keyboard.type(rosa.password);
    for (const name of ['new', 'repeat']) {
      await reach(dialog.locator(`input[name=${name}-password]`), 'Tab');
      await page.keyboard.type(next);
    }
    await reach(dialog.getByRole('button', { name: 'Change password' }), 'Tab');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await focusedBySelf(menu);

    await choose(page, rosa, 'Sign out');
    await page.locator('input[name=username]').waitFor();
    await reach(page.locator('input[name=username]'), 'Tab');
    await page.keyboard.type(rosa.address);
    await reach(page.locator('input[name=password]'), 'Tab');
    await page.keyboard.type(next);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Rosa Lindqvist' }).waitFor();
    await page.context().close();
  });

  it('is enough to send again what failed, or to discard it', async () => {
    const [gone, kim] = [await world.person('Gone Soon'), await world.person('Kim Arslan')];
    const { directoryAdmin } = (await world.administrator()).services;
    const page = await world.open(await world.browser(), kim);
    await find(page, gone);
    await write(page, 'before');
    await messageOf(page, 'before', 'sent').waitFor();
    const toms = await world.sdk(tom);
    const reachable = () =>
      toms.send(gone.id, 'still there?').acknowledged.then(
        () => true,
        () => false,
      );
    await directoryAdmin.setAccountState({ person: gone.id, state: 2 });
    await until('the account to be disabled everywhere', async () => !(await reachable()), { timeoutMs: 60_000 });
    for (const text of ['first to fail', 'second to fail']) {
      await write(page, text);
      await messageOf(page, text, 'failed').waitFor();
    }
    await directoryAdmin.setAccountState({ person: gone.id, state: 1 });
    await until('the account to be enabled everywhere', reachable, { timeoutMs: 60_000 });

    await focusedBySelf(page.locator('#composer'));
    await reach(page.getByRole('button', { name: 'Discard' }).last(), 'Shift+Tab');
    await page.keyboard.press('Enter');
    await messageOf(page, 'second to fail').waitFor({ state: 'detached' });
    await reach(page.getByRole('button', { name: 'Send again' }), 'Shift+Tab');
    await page.keyboard.press('Enter');
    await messageOf(page, 'first to fail', 'sent').waitFor();
    assert.equal(await messageOf(page, 'first to fail').count(), 1, 'shown once');
    assert.equal(await messageOf(page, 'second to fail').count(), 0, 'gone for good');
    await page.context().close();
  });
});
