import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { levelsInUse, resolveLevel, type Watcher } from './access.ts';
import type { Membership } from './person.ts';

const colleague: Watcher = { id: 'w', internal: true, domain: 'corp.example' };
const stranger: Watcher = { id: 'x', internal: false, domain: 'partner.example' };
const level = (watcher: Watcher, ...members: Membership[]) => resolveLevel({ _id: 'p', members }, watcher);

describe('the level of a watcher', () => {
  it('is Colleagues within the organisation and nothing outside, unless the presentity says otherwise', () => {
    assert.equal(level(colleague), 'colleagues');
    assert.equal(resolveLevel({ _id: 'p' }, colleague), 'colleagues');
    assert.equal(level(stranger), 'blocked');
  });

  it('is decided by the person, then the domain, then the organisation, then federation', () => {
    const federated: Membership = { level: 'external', kind: 'federated' };
    const domain: Membership = { level: 'colleagues', kind: 'domain', value: 'partner.example' };
    const user: Membership = { level: 'blocked', kind: 'user', value: 'x' };
    assert.equal(level(stranger, federated), 'external');
    assert.equal(level(stranger, federated, domain), 'colleagues');
    assert.equal(level(stranger, federated, domain, user), 'blocked');
    assert.equal(level(colleague, { level: 'external', kind: 'domain', value: 'corp.example' }), 'external');
    assert.equal(level(colleague, federated, domain, user), 'colleagues');
  });

  it('is the highest container within one rule', () => {
    const as = (own: Membership['level']): Membership => ({ level: own, kind: 'user', value: 'w' });
    assert.equal(level(colleague, as('workgroup'), as('friends'), as('external')), 'friends');
    assert.equal(level(colleague, as('friends'), as('blocked')), 'blocked');
  });

  it('is kept published for everybody whom it may be given to', () => {
    assert.deepEqual(levelsInUse(undefined), ['colleagues']);
    assert.deepEqual(levelsInUse([{ level: 'workgroup', kind: 'user', value: 'w' }]), ['colleagues', 'workgroup']);
  });
});
