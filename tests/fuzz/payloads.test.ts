/** Every method that can be reached from outside, with messages that are random, plausible and damaged. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type DescMethod, fromBinary, getOption } from '@bufbuild/protobuf';
import { Audience, access } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { ImService } from '@parley/contracts/im/v1/im';
import { CATALOGUES, publicServices } from '@parley/server/reference';
import fc from 'fast-check';
import { type Product, startProduct } from './src/product.ts';
import { runs } from './src/settings.ts';
import { damaged, encoded, type Vocabulary } from './src/shapes.ts';
import { alive, watchProcess } from './src/watch.ts';

const codes = new Set(CATALOGUES.flatMap(({ catalogue }) => Object.keys(catalogue)));
const methods: DescMethod[] = publicServices()
  .flatMap(({ service }) => service.methods)
  .filter(method => getOption(method, access).audience !== Audience.SERVICE);

describe('requests of any content', () => {
  let product: Product;
  let words: Vocabulary;
  let atFirst: number;
  const watch = watchProcess();

  before(async () => {
    product = await startProduct();
    words = await vocabulary(product);
    atFirst = await alive();
  });
  after(() => product?.stop());

  const path = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;

  const limitOf = (method: DescMethod) => getOption(method, access).maxRequestBytes || 65_536;

  async function judge(method: DescMethod, bytes: Uint8Array, caller: 'everything' | 'nothing'): Promise<void> {
    const token = getOption(method, access).audience === Audience.PUBLIC ? undefined : await product.token(caller);
    const lines = product.errors.length;
    const answer = await product.post(path(method), bytes, token, method.methodKind === 'server_streaming');
    const what = `${path(method)} ${JSON.stringify({ ...answer, messages: answer.messages.length })}`;
    assert.deepEqual(product.errors.slice(lines), [], `${what}: nothing fails inside`);
    if (answer.closed) return assert.ok(bytes.length > limitOf(method) + 2 ** 20, `${what}: only floods are cut`);
    // A stream that was left before its end has no status yet.
    if (answer.status === undefined) return assert.ok(answer.messages.length > 0, what);
    assert.notEqual(answer.status, 13, what);
    if (answer.status === 0) {
      for (const message of answer.messages) fromBinary(method.output, message);
    } else {
      assert.ok(answer.code !== undefined && codes.has(answer.code), `${what}: the code is documented`);
      if (answer.status === 16 && token !== undefined) product.forget(caller);
    }
  }

  for (const method of methods) {
    it(`${path(method).slice('/parley.'.length)} answers them`, async () => {
      const valid = encoded(method.input, words);
      const any = fc.oneof(
        { weight: 8, arbitrary: valid },
        { weight: 3, arbitrary: damaged(valid) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      );
      await fc.assert(
        fc.asyncProperty(any, fc.constantFrom('everything', 'everything', 'nothing'), (bytes, caller) =>
          judge(method, bytes, caller),
        ),
        runs(25),
      );
    });
  }

  it('leave nothing behind', async () => {
    const grown = ((await alive()) - atFirst) / 2 ** 20;
    assert.ok(grown < 40, `${grown.toFixed(1)} MiB more are alive`);

    watch.done();
  });
});

/** What is there to be named in requests. */
async function vocabulary({ people, call, token }: Product): Promise<Vocabulary> {
  const bearer = await token('everything');
  const ids = people.map(person => person.id);
  const addresses = people.map(person => person.address);
  const conversations: string[] = [];
  for (const recipientId of ids) {
    const message = { messageId: crypto.randomUUID(), recipientId, content: { text: `早安 ${recipientId}` } };
    conversations.push((await call(ImService.method.sendMessage, message, bearer)).conversationId);
  }
  await call(DirectoryAdminService.method.putGroup, { name: 'Fuzzers', addMembers: ids.slice(0, 2) }, bearer);
  return [
    [/^(request|message|endpoint|command|session)_id$/, []],
    [/^case_id$/, ['CASE-1', 'HR-2026-014']],
    [/^(person|people|addresses|.*members)$/, [...ids, ...addresses]],
    [/(person|recipient|member|manager|presentity|watcher)_ids?$|^ids$/, ids],
    [/address/, [...addresses, 'somebody.else@fuzz.example']],
    [/conversation/, conversations],
    [/cursor|page|after_key/, ['']],
    [/password/, ['a password of other people, 43', 'another good password, 44']],
    [/language/, ['en', 'zh-TW']],
    [/version/, ['fuzz/1.0.0', '']],
    [/group|name/, ['Fuzzers', '林美玲', 'Ann O’Neill']],
    [/query|words/, ['早安', 'fuzz', 'p1']],
  ];
}
