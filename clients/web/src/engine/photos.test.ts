import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ParleyClient } from '@parley/client';
import { createPhotos } from './photos.ts';

/** A directory whose answers the test gives. */
function directory() {
  const asked: { id: string; answer: (data: number) => void; refuse: () => void }[] = [];
  const getPhoto = ({ personId }: { personId: string }) =>
    new Promise((resolve, reject) =>
      asked.push({
        id: personId,
        answer: data => resolve({ mediaType: 'image/png', data: Uint8Array.of(data), version: '1' }),
        refuse: () => reject(new Error('directory.no_photo')),
      }),
    );
  return { asked, client: { services: { directory: { getPhoto } } } as unknown as ParleyClient };
}
const turn = () => new Promise(resolve => setImmediate(resolve));

test('a picture is asked for once, also by many tabs at a time, and again when there is another', async () => {
  const { asked, client } = directory();
  const photos = createPhotos(client, new AbortController().signal);
  const both = Promise.all([photos.of('ana', 'a'), photos.of('ana', 'a')]);
  asked[0]?.answer(7);
  const [one, two] = await both;
  assert.deepEqual([...(one?.data ?? [])], [7]);
  assert.equal(one, two);
  void photos.of('ana', 'b');
  assert.equal(asked.length, 2);
});

test('two are asked for at a time, and a refusal lets the next one through and is forgotten', async () => {
  const { asked, client } = directory();
  const photos = createPhotos(client, new AbortController().signal);
  const refused = assert.rejects(photos.of('ana', 'a'));
  const others = ['ben', 'cho'].map(id => photos.of(id, 'a'));
  await turn();
  assert.deepEqual(
    asked.map(a => a.id),
    ['ana', 'ben'],
  );
  asked[0]?.refuse();
  await refused;
  await turn();
  assert.deepEqual(
    asked.map(a => a.id),
    ['ana', 'ben', 'cho'],
  );
  asked[1]?.answer(1);
  asked[2]?.answer(2);
  await Promise.all(others);
  void photos.of('ana', 'a');
  assert.equal(asked.length, 4);
});

test('nothing is asked for after the end', async () => {
  const { asked, client } = directory();
  const ending = new AbortController();
  const photos = createPhotos(client, ending.signal);
  ending.abort();
  await assert.rejects(photos.of('ana', 'a'));
  assert.equal(asked.length, 0);
});
