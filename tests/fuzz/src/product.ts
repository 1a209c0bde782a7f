/** The standalone edition inside this process, so that a test sees its heap, its log and its unhandled rejections. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Role } from '@parley/contracts';
import { DirectoryAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { createLogger, createMetrics, runModules, systemClock, systemIds } from '@parley/runtime';
import { freePorts } from '@parley/testkit';
import { migrateStores } from '../../../services/parley/src/commands/migrate.ts';
import { directoryOf } from '../../../services/parley/src/commands/with-directory.ts';
import { parleyConfigSchema } from '../../../services/parley/src/config.ts';
import { createKeys, openKeys } from '../../../services/parley/src/keys.ts';
import { assemble } from '../../../services/parley/src/process.ts';
import { TARGET_NAMES } from '../../../services/parley/src/routes.ts';
import { openTopology } from '../../../services/parley/src/topology.ts';
import { type Answer, closeConnections, frame, post } from './wire.ts';

/** Who calls: somebody with every role, and somebody with none. */
export type Caller = 'everything' | 'nothing';

/** The product and who can call it. */
export interface Product {
  readonly port: number;
  /** People to name in requests; they are not the callers, so that what happens to them ends nobody's sign-in. */
  readonly people: readonly { readonly id: string; readonly address: string }[];
  /** A valid access token; signs in again when the last one was ended. */
  token(caller: Caller): Promise<string>;
  /** Makes the next `token` sign in. */
  forget(caller: Caller): void;
  /** Calls with a valid request; throws unless it succeeds. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethod & { readonly input: I; readonly output: O },
    request: MessageInitShape<I>,
    token?: string,
  ): Promise<MessageShape<O>>;
  /** Sends the bytes of a request in a frame. */
  post(path: string, message: Uint8Array, token: string | undefined, firstOnly?: boolean): Promise<Answer>;
  /** Writes bytes that no version reads into the archive's log. */
  poison(bytes: Uint8Array): Promise<void>;
  /** Lines of the log of level error. */
  readonly errors: readonly string[];
  stop(): Promise<void>;
}

/** Every pass of the hash costs time that a fuzzer has better use for; limits of rate would answer instead of the code. */
const SETTINGS = {
  directory: { domains: ['fuzz.example'], hashMemoryKiB: 8, hashPasses: 1, accessTokenLifetimeMs: 3_600_000 },
} as const;

/** Of both callers. */
export const password = 'a password of the callers, 42';
const addressOf: Record<Caller, string> = { everything: 'everything@fuzz.example', nothing: 'nothing@fuzz.example' };

/** Starts it on a free port with fresh data and a few people. */
export async function startProduct(settings: Readonly<Record<string, unknown>> = {}): Promise<Product> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-fuzz-'));
  mkdirSync(join(dataDir, 'keys'));
  const [web, grpc, admin] = (await freePorts(3)) as [number, number, number];
  const config = parleyConfigSchema.parse({
    ...SETTINGS,
    ...settings,
    dataDir,
    public: { port: web, callsPerPersonPerSecond: 1_000_000, callsPerPeerPerSecond: 1_000_000 },
    grpc: { port: grpc },
    admin: { port: admin },
  });
  const errors: string[] = [];
  const base = {
    config,
    clock: systemClock,
    ids: systemIds,
    logger: createLogger({ level: 'error', service: 'fuzz', destination: { write: line => void errors.push(line) } }),
    metrics: createMetrics({ defaults: false }),
  };
  createKeys(join(dataDir, 'keys'), TARGET_NAMES, systemIds);
  const context = { ...base, keys: openKeys(join(dataDir, 'keys'), systemClock) };
  const topology = await openTopology(config, context);
  await migrateStores(context, topology);
  const directory = await directoryOf({ ...context, metrics: createMetrics({ defaults: false }) }, topology);
  const roles = Object.keys(Role).filter(name => Number.isNaN(Number(name)) && name !== 'UNSPECIFIED');
  for (const caller of ['everything', 'nothing'] as const) {
    await directory.ensurePerson({
      address: addressOf[caller],
      displayName: caller,
      password,
      roles: caller === 'everything' ? (roles.map(name => name.toLowerCase()) as never) : [],
    });
  }
  const { modules } = await assemble(config, { ...context, topology });
  const running = await runModules(modules, { ...context, stopTimeoutMs: 5000 });

  const tokens = new Map<Caller, string>();
  const product: Product = {
    port: web,
    people: [],
    errors,
    async token(caller) {
      const known = tokens.get(caller);
      if (known !== undefined) return known;
      const answer = await product.call(AuthService.method.signIn, { address: addressOf[caller], password });
      const token = answer.tokens?.accessToken as string;
      tokens.set(caller, token);
      return token;
    },
    forget: caller => void tokens.delete(caller),
    async call(method, request, token) {
      const bytes = toBinary(method.input, create(method.input, request));
      const path = `/${method.parent.typeName}/${method.name}`;
      const answer = await product.post(path, bytes, token);
      assert.equal(answer.status, 0, `${path}: ${answer.code} ${answer.field}`);
      return fromBinary(method.output, answer.messages[0] as Uint8Array);
    },
    post: (path, message, token, firstOnly = false) =>
      post(web, path, frame(message), { firstOnly, ...(token !== undefined && { token }) }),
    async poison(bytes) {
      await topology.eventLog.append('archive', [{ key: 'poison', value: bytes }]);
    },
    async stop() {
      closeConnections();
      await running.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  try {
    return { ...product, people: await makePeople(product) };
  } catch (error) {
    await product.stop();
    throw error;
  }
}

async function makePeople(product: Product): Promise<Product['people']> {
  const everything = await product.token('everything');
  const people: { id: string; address: string }[] = [];
  for (const name of ['ann', 'ben', '陳大文', 'o’neill']) {
    const { account } = await product.call(
      DirectoryAdminService.method.createPerson,
      {
        requestId: crypto.randomUUID(),
        displayName: name,
        address: `p${people.length}@fuzz.example`,
        initialPassword: 'a password of other people, 43',
      },
      everything,
    );
    people.push({ id: account?.person?.id as string, address: account?.person?.addresses[0] as string });
  }
  return people;
}
