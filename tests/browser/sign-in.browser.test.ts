import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { find, messageOf, signIn, startWorld, type TestPerson, type World, write } from './world.ts';

describe('signing in', () => {
  let world: World;
  let mei: TestPerson;
  before(async () => {
    world = await startWorld();
    mei = await world.person('林美玲', { title: 'Surgeon', department: 'Surgery', language: 'zh-TW' });
  });
  after(() => world?.stop());

  it('serves the page with a policy that lets nothing else in', async () => {
    const answer = await fetch(world.parley.url);
    assert.equal(answer.status, 200);
    const csp = answer.headers.get('content-security-policy') ?? '';
    assert.match(csp, /default-src 'none'/);
    assert.match(csp, /frame-ancestors 'none'/);
    assert.doesNotMatch(csp, /unsafe/);
    const nonce = /'nonce-([^']+)'/.exec(csp)?.[1] ?? '';
    const html = await answer.text();
    assert.ok(html.includes(`nonce="${nonce}"`));
    assert.doesNotMatch(html, /PARLEY-CSP-NONCE|<script[^>]*>[^<]/);
    const script = /src="(\/assets\/[^"]+)"/.exec(html)?.[1] ?? '';
    const asset = await fetch(`${world.parley.url}${script}`, { headers: { 'accept-encoding': 'br, gzip' } });
    assert.equal(asset.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(asset.headers.get('content-encoding'), 'br');
    assert.notEqual((await fetch(world.parley.url)).headers.get('content-security-policy'), csp);
    assert.equal((await fetch(`${world.parley.url}/c/${mei.id}`)).status, 200);
    assert.equal((await fetch(`${world.parley.url}/assets/none.js`)).status, 404);
    assert.equal((await fetch(`${world.parley.url}/somewhere`)).status, 404);
  });

  it('says what is missing or wrong, and lets in who has the password', async () => {
    const page = await world.open(await world.browser());
    const address = page.locator('input[name=username]');
    const password = page.locator('input[name=password]');
    await address.waitFor();
    await world.shot(page, 'sign-in');
    await world.accessible(page, 'sign-in page');
    await page.keyboard.press('Enter');
    await page.getByText('Enter your address.').waitFor();
    await address.fill(mei.address);
    await password.fill('not the password');
    await password.press('Enter');
    await page.getByRole('alert').getByText('Address or password is wrong').waitFor();
    await world.shot(page, 'sign-in-refused');
    await world.accessible(page, 'sign-in page with a refusal');
    assert.equal(await password.evaluate(box => box === document.activeElement), true);
    await signIn(page, mei);
    await page.getByRole('button', { name: '林美玲' }).waitFor();
    await world.shot(page, 'signed-in');
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'zh-TW', 'the language of the directory');
  });

  it('speaks the language that is chosen before anybody is known', async () => {
    const page = await world.open(await world.browser({ locale: 'zh-TW' }));
    await page.getByRole('heading', { name: '登入 Parley' }).waitFor();
    await world.shot(page, 'sign-in-zh');
    await world.accessible(page, 'sign-in page in Chinese');
    await page.getByLabel('語言').selectOption('en');
    await page.getByRole('heading', { name: 'Sign in to Parley' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in to Parley' }).waitFor();
  });

  it('has a password that somebody else set changed first', async () => {
    const ana = await world.person('Ana Souza', { passwordChangeRequired: true });
    const page = await world.open(await world.browser());
    await page.locator('input[name=username]').fill(ana.address);
    await page.locator('input[name=password]').fill(ana.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
    await page.locator('input[name=new-password]').waitFor();
    await world.shot(page, 'password-forced');
    await world.accessible(page, 'forced change of password');
    const next = 'a brand new secret of hers';
    await page.locator('input[name=new-password]').fill('short');
    await page.keyboard.press('Enter');
    await page.getByText('At least 12 characters, please.').waitFor();
    await page.locator('input[name=new-password]').fill(next);
    await page.locator('input[name=repeat-password]').fill(`${next}?`);
    await page.keyboard.press('Enter');
    await page.getByText('The two new passwords differ.').waitFor();
    await world.shot(page, 'password-problem');
    await page.locator('input[name=repeat-password]').fill(next);
    await page.keyboard.press('Enter');
    await page.locator('#people').waitFor();
    await find(page, mei);
    await write(page, 'signed in at last');
    await messageOf(page, 'signed in at last', 'sent').waitFor();
  });

  it('asks for the present password when the page was loaded again before it was changed', async () => {
    const ben = await world.person('Ben Haddad', { passwordChangeRequired: true });
    const page = await world.open(await world.browser());
    await page.locator('input[name=username]').fill(ben.address);
    await page.locator('input[name=password]').fill(ben.password);
    await page.keyboard.press('Enter');
    await page.locator('input[name=new-password]').waitFor();
    await page.reload();
    await page.locator('input[name=current-password]').fill('wrong');
    for (const name of ['new', 'repeat'])
      await page.locator(`input[name=${name}-password]`).fill('another long secret');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('This is not your present password.').waitFor();
    await page.locator('input[name=current-password]').fill(ben.password);
    await page.keyboard.press('Enter');
    await page.locator('#people').waitFor();
  });

  it('keeps the sign-in over a reload, and ends it in every tab', async () => {
    const tom = await world.person('Tom Okafor');
    const context = await world.browser();
    const page = await world.open(context, tom);
    await page.reload();
    await page.getByRole('button', { name: 'Tom Okafor' }).waitFor();
    const other = await world.open(context);
    await other.getByRole('button', { name: 'Tom Okafor' }).click();
    await other.getByRole('menuitem', { name: 'Sign out' }).click();
    await other.locator('input[name=password]').waitFor();
    await page.locator('input[name=password]').waitFor();
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }));
    assert.doesNotMatch(kept, /accessToken|refreshToken|displayName/);
    await signIn(page, tom);
    await other.getByRole('button', { name: 'Tom Okafor' }).waitFor();
  });

  it('changes the password of somebody who wants to, and goes on', async () => {
    const ivy = await world.person('王怡君');
    const page = await world.open(await world.browser(), ivy);
    await page.getByRole('button', { name: '王怡君' }).click();
    await page.getByRole('menuitem', { name: 'Change password' }).click();
    await page.locator('input[name=current-password]').fill(ivy.password);
    for (const name of ['new', 'repeat'])
      await page.locator(`input[name=${name}-password]`).fill('ivy has another one');
    await world.shot(page, 'password-dialog');
    await world.accessible(page, 'change of password');
    await page.getByRole('dialog').getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await find(page, mei);
    await write(page, 'still here');
    await messageOf(page, 'still here', 'sent').waitFor();
  });
});
