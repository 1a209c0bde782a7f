import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { DEMO_ACCOUNTS, demoPeople } from '../demo.ts';
import { pictureOf } from './picture.ts';

describe('the demo organisation', async () => {
  const people = await demoPeople();
  const addresses = new Set(people.map(row => row.address));

  it('has 60 people with names in two scripts, departments, managers, groups and languages', () => {
    assert.equal(people.length, 60);
    assert.equal(addresses.size, 60);
    const chinese = people.filter(row => /^\p{sc=Han}+$/u.test(row.displayName ?? ''));
    assert.ok(chinese.length >= 25 && chinese.length <= 35, String(chinese.length));
    for (const row of people) {
      assert.ok(row.displayName && row.department && row.title && row.language, row.address);
      assert.ok(row.manager === '' || addresses.has(row.manager ?? ''), `${row.address}: ${row.manager}`);
      assert.ok((row.groups?.length ?? 0) > 0, row.address);
    }
    assert.equal(people.filter(row => row.manager === '').length, 2);
  });

  it('has everybody who can sign in', () => {
    for (const { address } of DEMO_ACCOUNTS) assert.ok(addresses.has(address), address);
  });

  it('has pictures of our own making: small, whole, and each its own', () => {
    const photos = people.flatMap(row => (row.photo?.length ? [Buffer.from(row.photo)] : []));
    assert.equal(photos.length, 50);
    assert.equal(new Set(photos.map(photo => photo.toString('base64'))).size, photos.length);
    for (const photo of photos) {
      assert.ok(photo.length < 8_192, String(photo.length));
      assert.deepEqual([photo.readUInt32BE(16), photo.readUInt32BE(20)], [96, 96]);
      const size = photo.readUInt32BE(33);
      assert.equal(inflateSync(photo.subarray(41, 41 + size)).length, 96 * (1 + 96 * 3));
    }
    assert.deepEqual(pictureOf('mei.lin'), pictureOf('mei.lin'));
  });
});
