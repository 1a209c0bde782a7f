import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimId, decideClaim } from './address-claim.ts';
import { newPerson, ownsAddress, personIdOf, rename, requestHashOf } from './person.ts';

const details = {
  displayName: 'Alice Chen',
  addresses: ['alice@x.example', 'ac@x.example'],
  department: '',
  title: '',
  language: '',
  site: '',
};
const alice = newPerson(details, { createdMs: 1, requestHash: 'h', version: 1 });
const moved = (person: typeof alice, primaryAddress: string, now = 5) => {
  const decision = rename(person, { displayName: undefined, primaryAddress }, now, 2);
  assert.equal(decision.kind, 'store');
  return decision.kind === 'store' ? decision.next : person;
};

describe('a person', () => {
  it('gets the same id for the same request, whatever its case', () => {
    const id = personIdOf('7d444840-9dc0-11d1-b245-5ffdce74fad2');
    assert.equal(personIdOf('7D444840-9DC0-11D1-B245-5FFDCE74FAD2'), id);
    for (let i = 0; i < 1_000; i++) assert.match(personIdOf(`request ${i}`), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    assert.match(id, /^[A-Za-z0-9_-]{22}$/);
    assert.notEqual(personIdOf('7d444840-9dc0-11d1-b245-5ffdce74fad3'), id);
  });

  it('is told apart by what the request says, fields not running into each other', () => {
    const hash = requestHashOf(details, [], false);
    assert.equal(requestHashOf({ ...details }, [], false), hash);
    assert.notEqual(
      requestHashOf({ ...details, department: 'x' }, [], false),
      requestHashOf({ ...details, title: 'x' }, [], false),
    );
    assert.notEqual(requestHashOf(details, ['viewer'], false), hash);
    assert.notEqual(requestHashOf(details, [], true), hash);
  });
});

describe('renaming', () => {
  it('makes the primary address a former one and keeps the others', () => {
    const next = moved(alice, 'alice.wu@x.example');
    assert.deepEqual(next.addresses, ['alice.wu@x.example', 'ac@x.example']);
    assert.deepEqual(next.former, [{ address: 'alice@x.example', untilMs: 5 }]);
    assert.ok(ownsAddress(next, 'alice@x.example'));
    assert.ok(next.words.includes('wu') && next.version === 2);
  });

  it('to another present address leaves it once', () => {
    assert.deepEqual(moved(alice, 'ac@x.example').addresses, ['ac@x.example']);
  });

  it('back takes the former address up again', () => {
    const back = moved(moved(alice, 'b@x.example'), 'alice@x.example', 9);
    assert.equal(back.primaryAddress, 'alice@x.example');
    assert.deepEqual(back.former, [{ address: 'b@x.example', untilMs: 9 }]);
  });

  it('to what is there already changes nothing', () => {
    const same = { displayName: alice.displayName, primaryAddress: alice.primaryAddress };
    assert.equal(rename(alice, same, 5, 2).kind, 'unchanged');
    assert.equal(rename(alice, { displayName: undefined, primaryAddress: undefined }, 5, 2).kind, 'unchanged');
  });

  it('stops when there are too many former addresses', () => {
    const former = Array.from({ length: 256 }, (_, i) => ({ address: `f${i}@x.example`, untilMs: 1 }));
    const old = { ...alice, former };
    assert.equal(rename(old, { displayName: undefined, primaryAddress: 'n@x.example' }, 5, 2).kind, 'too_many_former');
    assert.equal(rename(old, { displayName: 'New', primaryAddress: undefined }, 5, 2).kind, 'store');
  });
});

describe('a claim to an address', () => {
  const claim = { v: 1 as const, address: 'alice@x.example', personId: 'alice', claimedMs: 1000 };

  it('holds for good once its person owns up to it', () => {
    assert.equal(decideClaim(claim, ownsAddress(alice, claim.address), 'alice', 1e12, 600).kind, 'held');
    assert.equal(decideClaim(claim, ownsAddress(alice, claim.address), 'bob', 1e12, 600).kind, 'taken');
    assert.equal(
      decideClaim(claim, ownsAddress(moved(alice, 'b@x.example'), claim.address), 'bob', 1e12, 600).kind,
      'taken',
    );
  });

  it('that was never made use of is free again after a while, and renewed by its maker at any time', () => {
    assert.equal(decideClaim(claim, false, 'bob', 1599, 600).kind, 'taken');
    assert.deepEqual(decideClaim(claim, false, 'bob', 1600, 600), {
      kind: 'store',
      next: { ...claim, personId: 'bob', claimedMs: 1600 },
    });
    assert.equal(decideClaim(claim, false, 'alice', 1001, 600).kind, 'store');
  });

  it('has the address for an id, or a hash of one that is too long', () => {
    assert.equal(claimId('alice@x.example'), 'alice@x.example');
    const long = `${'a'.repeat(64)}@${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.example`;
    assert.match(claimId(long), /^[A-Za-z0-9_-]{43}$/);
  });
});
