import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  GetPrincipalsRequestSchema,
  GetPrincipalsResponseSchema,
  type Principal,
  PrincipalSchema,
} from '@parley/contracts/directory/v1/internal';
import { PolicyScope } from '@parley/contracts/directory/v1/policy';
import type { Channel } from '@parley/rpc';

type PrincipalInit = Partial<Omit<Principal, '$typeName' | '$unknown' | 'archiving'>>;

/** A directory in memory that counts how often it is asked. */
export class FakeDirectory {
  readonly people = new Map<string, Principal>();
  calls = 0;
  /** Answers wait for it. */
  before: (() => Promise<void>) | undefined;

  add(id: string, policy: 'none' | 'archived' | 'critical' = 'none', init: PrincipalInit = {}): void {
    const archiving = { archiveInternal: policy !== 'none', archiveExternal: false, critical: policy === 'critical' };
    const person = create(PrincipalSchema, {
      ...{ id, enabled: true, internal: true, site: 'hq', displayName: `Name of ${id}`, version: 1n },
      primaryAddress: `${id}@north.example`,
      archiving: { scope: PolicyScope.GLOBAL, policy: archiving },
    });
    this.people.set(id, Object.assign(person, init));
  }

  change(id: string, init: PrincipalInit): void {
    this.people.set(id, Object.assign(structuredClone(this.people.get(id) as Principal), init));
  }

  readonly channel = {
    unary: async (method: { name: string }, request: MessageInitShape<typeof GetPrincipalsRequestSchema>) => {
      this.calls++;
      if (method.name !== 'GetPrincipals') throw new Error(`unexpected call of ${method.name}`);
      const { ids } = create(GetPrincipalsRequestSchema, request);
      const principals = ids.map(id => this.people.get(id)).filter(found => found !== undefined);
      const response = create(GetPrincipalsResponseSchema, { principals: structuredClone(principals) });
      await this.before?.();
      return response;
    },
    stream: () => {
      throw new Error('im opens no streams');
    },
  } as unknown as Channel;
}
