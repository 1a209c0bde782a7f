import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jpeg, png, webp } from '../testing/pictures.ts';
import { photoFormat, photoVersion } from './photo.ts';

describe('a picture', () => {
  it('says its kind and size in its first bytes', () => {
    assert.deepEqual(photoFormat(png(512, 7)), { mediaType: 'image/png', width: 512, height: 7 });
    for (const marker of [0xc0, 0xc1, 0xc2, 0xc9]) {
      assert.deepEqual(photoFormat(jpeg(300, 200, marker)), { mediaType: 'image/jpeg', width: 300, height: 200 });
    }
    for (const kind of ['VP8 ', 'VP8L', 'VP8X'] as const) {
      assert.deepEqual(photoFormat(webp(kind, 512, 9)), { mediaType: 'image/webp', width: 512, height: 9 }, kind);
    }
    assert.deepEqual(photoFormat(webp('VP8L', 16_384, 16_384)), {
      mediaType: 'image/webp',
      width: 16_384,
      height: 16_384,
    });
  });

  it('cut off anywhere, of another kind or without a size is none', () => {
    const whole = [png(5, 5), jpeg(5, 5), webp('VP8 ', 5, 5), webp('VP8L', 5, 5), webp('VP8X', 5, 5)];
    for (const bytes of whole) {
      for (let length = 0; length < 26; length++) assert.equal(photoFormat(bytes.slice(0, length)), undefined);
    }
    const others = ['GIF89a\x01\0\x01\0', '<svg xmlns="http://www.w3.org/2000/svg"/>', '%PDF-1.7', 'RIFF....WEBPXXXX'];
    for (const text of others) assert.equal(photoFormat(Buffer.from(text.padEnd(64))), undefined, text);
    assert.equal(photoFormat(png(0, 5)), undefined);
    assert.equal(photoFormat(jpeg(5, 0)), undefined);
  });

  it('made of anything never takes long or throws', () => {
    let state = 7;
    const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    for (let i = 0; i < 2000; i++) {
      const base = [png(5, 5), jpeg(5, 5), webp('VP8X', 5, 5)][i % 3] as Uint8Array;
      const bytes = Uint8Array.from(base);
      for (let n = 0; n < 4; n++) bytes[random() % bytes.length] = random() & 0xff;
      photoFormat(bytes);
    }
    assert.equal(photoFormat(Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(65_534, 0xff)])), undefined);
  });

  it('is in a buffer of others what it is alone', () => {
    const all = Buffer.concat([Buffer.alloc(3), png(5, 6)]);
    assert.equal(photoFormat(all.subarray(3))?.height, 6);
  });

  it('has the version of its content', () => {
    assert.equal(photoVersion(png(5, 5)), photoVersion(png(5, 5)));
    assert.notEqual(photoVersion(png(5, 5)), photoVersion(png(5, 6)));
    assert.match(photoVersion(png(5, 5)), /^[A-Za-z0-9_-]{16}$/);
  });
});
