import assert from 'node:assert/strict';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { createParleyClient, type ImEvent, type ParleyClient, type ParleyClientOptions } from '@parley/client';
import { Role } from '@parley/contracts';
import type { VerifiedRecord, VerifyFinding, VerifyResult } from '@parley/contracts/archive/v1/archive';
import { type ArchivingPolicy, ArchivingPolicySchema } from '@parley/contracts/directory/v1/policy';
import { type ParleyUnderTest, until } from '@parley/testkit';
import { codeOf } from './error-code.ts';

/** Servers behind the product that a scenario may take down. */
export interface Faults {
  /** Makes every append to the event log fail or hang from now on. */
  logDown(): Promise<void>;
  /** Puts the log back to work. */
  logUp(): Promise<void>;
}

/** A scenario: runs on a product in either topology, knows neither. */
export interface Scenario {
  /** A sentence about behaviour. */
  readonly name: string;
  /** Settings it needs; a scenario that has some gets a product of its own. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Whether it runs over TLS, on a product of its own. */
  readonly tls?: boolean;
  run(world: World): Promise<void>;
}

/** A person made for one scenario. */
export interface TestPerson {
  readonly id: string;
  readonly address: string;
  readonly password: string;
  readonly displayName: string;
}

/** What came to one device. */
export interface Device {
  readonly client: ParleyClient;
  readonly person: TestPerson;
  /** Every event the SDK handed on, in the order it did. */
  readonly events: ImEvent[];
  /** Texts of all messages, by key. */
  texts(): string[];
}

/** Everything a scenario works with. */
export interface World {
  readonly parley: ParleyUnderTest;
  readonly faults: Faults;
  /** Aborted when the scenario has ended, well or not: whatever goes on by itself ends then. */
  readonly ended: AbortSignal;
  /** Makes a person with a name of his own. */
  person(displayName?: string, roles?: readonly Role[]): Promise<TestPerson>;
  /** A client without a sign-in. */
  client(options?: Partial<ParleyClientOptions>): ParleyClient;
  /** Signs in and connects. */
  device(person: TestPerson, options?: Partial<ParleyClientOptions>): Promise<Device>;
  /** The administrator, signed in. */
  administrator(): Promise<ParleyClient>;
  /** Somebody who may verify the archive, signed in. */
  complianceOfficer(): Promise<ParleyClient>;
  /** Sets the archiving policy of a person, or of everybody. */
  archiving(
    person: TestPerson | undefined,
    policy: MessageInitShape<typeof ArchivingPolicySchema>,
  ): Promise<ArchivingPolicy>;
  /** Verifies the archive, record by record. */
  verify(): Promise<{
    readonly result: VerifyResult;
    readonly findings: readonly VerifyFinding[];
    readonly records: readonly VerifiedRecord[];
  }>;
}

/** Runs `work` in a world around `parley` and closes every client it made. */
export async function inWorld(
  parley: ParleyUnderTest,
  faults: Faults,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const clients: ParleyClient[] = [];
  let admin: Promise<ParleyClient> | undefined;
  let officer: Promise<ParleyClient> | undefined;
  let made = 0;
  const end = new AbortController();

  const world: World = {
    parley,
    faults,
    ended: end.signal,
    async person(displayName = `Person ${++made}`, roles = []) {
      const address = `p${crypto.randomUUID().slice(0, 12)}@parley.example`;
      const password = `pw-${crypto.randomUUID()}`;
      const { account } = await (await world.administrator()).services.directoryAdmin.createPerson({
        requestId: crypto.randomUUID(),
        address,
        displayName,
        initialPassword: password,
        roles: [...roles],
      });
      assert.ok(account?.person);
      return { id: account.person.id, address, password, displayName };
    },
    client(options = {}) {
      const client = createParleyClient({ baseUrl: parley.url, name: 'scenario', ...options });
      clients.push(client);
      return client;
    },
    async device(person, options = {}) {
      const client = world.client(options);
      await client.signIn(person.address, person.password);
      const events: ImEvent[] = [];
      client.onEvent(event => events.push(event));
      await client.connect();
      const texts = () =>
        [...events]
          .sort((a, b) => (a.key < b.key ? -1 : 1))
          .flatMap(event => (event.content ? [event.content.text] : []));
      return { client, person, events, texts };
    },
    administrator: () =>
      (admin ??= (async () => {
        const client = world.client();
        await client.signIn(parley.administrator.address, parley.administrator.password);
        return client;
      })()),
    complianceOfficer: () =>
      (officer ??= (async () => {
        const person = await world.person('Compliance Officer', [Role.COMPLIANCE_OFFICER]);
        const client = world.client();
        await client.signIn(person.address, person.password);
        return client;
      })()),
    async archiving(person, policy) {
      const { policies } = (await world.administrator()).services;
      const { effective } = await policies.setArchivingPolicy({
        person: person?.id ?? '',
        policy: create(ArchivingPolicySchema, policy),
      });
      assert.ok(effective?.policy);
      return effective.policy;
    },
    async verify() {
      const { archive } = (await world.complianceOfficer()).services;
      const findings: VerifyFinding[] = [];
      const records: VerifiedRecord[] = [];
      let result: VerifyResult | undefined;
      // a signal of our own: the timer of `timeoutMs` would keep the test process alive
      const options = { timeoutMs: 0, signal: AbortSignal.timeout(120_000) };
      for await (const { event } of archive.verify({ reportRecords: true, settleMs: 60_000 }, options)) {
        if (event.case === 'finding') findings.push(event.value);
        else if (event.case === 'record') records.push(event.value);
        else if (event.case === 'result') result = event.value;
      }
      assert.ok(result, 'the verification ends with a result');
      return { result, findings, records };
    },
  };
  try {
    await work(world);
  } finally {
    end.abort(new Error('the scenario has ended'));
    await Promise.all(clients.map(client => client.close().catch(() => undefined)));
  }
}

/** Resolves when the device has handed on a message with each of these texts. */
export async function receives(device: Device, ...texts: readonly string[]): Promise<void> {
  await until(`${device.person.displayName} to receive ${texts.length} messages`, () => {
    const got = new Set(device.texts());
    return texts.every(text => got.has(text));
  });
}

/** Resolves when the client shows the person within `[from, below)` of the availability numbers. */
export async function sees(
  client: ParleyClient,
  personId: string,
  from: number,
  below: number,
  timeoutMs = 15_000,
): Promise<void> {
  const shown = () => client.presence.of(personId).getSnapshot().availability;
  await until(
    `availability of ${personId} in [${from}, ${below}), last seen`,
    () => shown() >= from && shown() < below,
    { timeoutMs },
  ).catch(error => {
    throw new Error(`${(error as Error).message}: ${shown()}`);
  });
}

/** Rejects with a typed error of this code. */
export async function refused(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (error: Error & { code?: string }) => {
    assert.equal(codeOf(error), code, `${error.name}: ${error.message}`);
    return true;
  });
}
