import { create, toBinary } from '@bufbuild/protobuf';
import { type Bus, type LevelToken, subjects } from '@parley/bus';
import { PresenceEnvelopeSchema } from '@parley/contracts/event/v1/bus';
import type { GetDigestsRequest, OpenEndpointRequest, ResolveRequest } from '@parley/contracts/presence/v1/internal';
import { ContactLevel, PresenceViewSchema } from '@parley/contracts/presence/v1/presence';

const TOKENS: Readonly<Record<number, LevelToken>> = {
  [ContactLevel.EXTERNAL]: 'external',
  [ContactLevel.COLLEAGUES]: 'colleagues',
  [ContactLevel.WORKGROUP]: 'workgroup',
  [ContactLevel.FRIENDS_AND_FAMILY]: 'friends',
};

interface FakePerson {
  revision: number;
  aclRevision: number;
  availability: number;
  note: string;
  readonly levels: Map<string, ContactLevel>;
}

interface Held {
  readonly connectionId: string;
  readonly sessionId: string;
  readonly pod: string;
  machineState: number;
}

/** A presence service that lives in a test: people, levels, endpoints and leases, and a switch for failures. */
export class FakePresence {
  readonly endpoints = new Map<string, Held>();
  readonly closed: { readonly endpointId: string; readonly signedOut: boolean }[] = [];
  readonly leases: { readonly pod: string; readonly release: boolean }[] = [];
  readonly resolves: { readonly watcherId: string; readonly ids: readonly string[] }[] = [];
  readonly digests: { readonly id: string; readonly level: number; readonly revision: number }[][] = [];
  /** Throws for a call by name. */
  fail: (call: string) => Error | undefined = () => undefined;
  /** Holds calls back by name. */
  hold: (call: string) => Promise<void> | undefined = () => undefined;
  readonly #people = new Map<string, FakePerson>();
  readonly #bus: Bus;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  person(id: string): FakePerson {
    let person = this.#people.get(id);
    if (!person) {
      person = { revision: 1, aclRevision: 1, availability: 3500, note: '', levels: new Map() };
      this.#people.set(id, person);
    }
    return person;
  }

  /** Changes somebody's availability and tells about it unless `silently`. */
  change(id: string, availability: number, silently = false): void {
    const person = this.person(id);
    person.availability = availability;
    person.revision++;
    if (!silently) this.publish(id);
  }

  /** Changes at what level a watcher sees somebody and tells about it unless `silently`. */
  setLevel(id: string, watcherId: string, level: ContactLevel, silently = false): void {
    const person = this.person(id);
    person.levels.set(watcherId, level);
    person.aclRevision++;
    person.revision++;
    if (!silently) this.publish(id);
  }

  publish(id: string): void {
    const { aclRevision, revision } = this.person(id);
    for (const [level, token] of Object.entries(TOKENS)) {
      const envelope = create(PresenceEnvelopeSchema, {
        revision: BigInt(revision),
        aclRevision: BigInt(aclRevision),
        view: this.view(id, Number(level) as ContactLevel),
      });
      this.#bus.publish(subjects.presence(id, token), toBinary(PresenceEnvelopeSchema, envelope));
    }
  }

  view(id: string, level: ContactLevel): Uint8Array {
    const person = this.person(id);
    return toBinary(
      PresenceViewSchema,
      create(PresenceViewSchema, {
        personId: id,
        availability: level === ContactLevel.BLOCKED ? 18_500 : person.availability,
        activity: TOKENS[level] ?? 'blocked',
        note: person.note,
        revision: BigInt(person.revision),
      }),
    );
  }

  async call(name: string, request: unknown): Promise<object> {
    await this.hold(name);
    const error = this.fail(name);
    if (error) throw error;
    switch (name) {
      case 'openEndpoint':
        return this.#open(request as OpenEndpointRequest);
      case 'updateEndpoint': {
        const { personId, endpointId, connectionId, machineState } = request as Held & OpenEndpointRequest;
        const held = this.endpoints.get(`${personId}/${endpointId}`);
        if (held?.connectionId !== connectionId) return { applied: false };
        held.machineState = machineState;
        return { applied: true };
      }
      case 'closeEndpoint': {
        const { personId, endpointId, connectionId, signedOut } = request as OpenEndpointRequest & {
          readonly signedOut: boolean;
        };
        const key = `${personId}/${endpointId}`;
        if (this.endpoints.get(key)?.connectionId !== connectionId) return { applied: false };
        this.endpoints.delete(key);
        this.closed.push({ endpointId, signedOut });
        return { applied: true };
      }
      case 'renewLease': {
        const { pod, release } = request as { readonly pod: string; readonly release: boolean };
        this.leases.push({ pod, release });
        return {};
      }
      case 'resolve': {
        const { watcherId, presentityIds } = request as ResolveRequest;
        this.resolves.push({ watcherId, ids: presentityIds });
        return { resolved: presentityIds.map(id => this.resolve(watcherId, id)) };
      }
      case 'getDigests':
        return this.#compare(request as GetDigestsRequest);
      default:
        throw new Error(`unexpected call ${name}`);
    }
  }

  resolve(watcherId: string, id: string) {
    const person = this.person(id);
    return this.#answer(id, person.levels.get(watcherId) ?? ContactLevel.COLLEAGUES);
  }

  #answer(id: string, level: ContactLevel) {
    const { aclRevision, revision } = this.person(id);
    return {
      presentityId: id,
      level,
      aclRevision: BigInt(aclRevision),
      revision: BigInt(revision),
      view: this.view(id, level),
    };
  }

  #open({ personId, endpointId, connectionId, sessionId, pod, machineState }: OpenEndpointRequest) {
    const key = `${personId}/${endpointId}`;
    const before = this.endpoints.get(key);
    this.endpoints.set(key, { connectionId, sessionId, pod, machineState });
    return { replacedSessionId: before && before.sessionId !== sessionId ? before.sessionId : '' };
  }

  #compare({ keys }: GetDigestsRequest) {
    this.digests.push(keys.map(k => ({ id: k.presentityId, level: k.level, revision: Number(k.revision) })));
    const changed = keys.filter(key => {
      const { aclRevision, revision } = this.person(key.presentityId);
      return Number(key.revision) < revision || Number(key.aclRevision) < aclRevision;
    });
    return { changed: changed.map(key => this.#answer(key.presentityId, key.level)) };
  }
}
