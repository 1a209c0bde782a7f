import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TARGET_NAMES } from '../routes.ts';
import { TARGETS } from '../targets.ts';
import { DECISIONS, mayExpire, SIGNS_OF_LIFE, transferables } from './decisions.ts';

const declared = TARGET_NAMES.flatMap(name => TARGETS[name].collections.map(spec => spec.name));

describe('what an export carries', () => {
  it('is decided for every collection: add a line to transfer/decisions.ts for a new one', () => {
    assert.deepEqual(
      declared.filter(name => DECISIONS[name] === undefined),
      [],
    );
  });

  it('is decided for no collection that does not exist', () => {
    assert.deepEqual(
      [...Object.keys(DECISIONS), ...Object.keys(SIGNS_OF_LIFE)].filter(name => !declared.includes(name)),
      [],
    );
  });

  it('says why something is left behind', () => {
    for (const [name, decision] of Object.entries(DECISIONS))
      if (!decision.carried) assert.ok(decision.why.length > 10, name);
  });

  it('brings accounts last, so that nobody signs in to half an installation', () => {
    const order = transferables().map(({ spec }) => spec.name);
    assert.deepEqual(order.slice(-2).sort(), ['directory_accounts', 'directory_guards']);
    assert.deepEqual([...order].sort(), [...declared].sort());
  });

  it('knows which collections shrink by themselves', () => {
    const shrinking = transferables().filter(({ spec }) => mayExpire(spec));
    assert.ok(shrinking.some(({ spec }) => spec.name === 'directory_sign_ins'));
    assert.ok(!shrinking.some(({ spec }) => spec.name === 'archive_links'));
  });
});
