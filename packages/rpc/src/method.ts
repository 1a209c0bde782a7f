import { type DescMessage, type DescMethod, getOption } from '@bufbuild/protobuf';
import { Audience, access, type Role } from '@parley/contracts';
import type { CallContext } from './context.ts';
import type { MountedService, StreamSink } from './service.ts';
import { statusNames } from './status.ts';

/** Labels of `parley_rpc_requests_total`. */
export type RequestLabels = Readonly<{ service: string; method: string; status: string }>;

/** A method with everything the pipeline needs to know of it, worked out once. */
export interface RegisteredMethod {
  /** `/parley.im.v1.ImService/SendMessage`. */
  readonly path: string;
  readonly service: string;
  readonly name: string;
  readonly desc: DescMethod;
  readonly input: DescMessage;
  readonly output: DescMessage;
  readonly streaming: boolean;
  readonly audience: 'public' | 'person' | 'service';
  /** Of which a person must hold one; undefined when everybody may. */
  readonly roles: readonly Role[] | undefined;
  readonly callers: ReadonlySet<string>;
  readonly idempotent: boolean;
  readonly maxRequestBytes: number;
  /** Whether a person who must change the password may call it all the same. */
  readonly allowedBeforePasswordChange: boolean;
  readonly handler: (request: unknown, context: CallContext, sink?: StreamSink) => Promise<unknown>;
  /** Metric labels by gRPC status, made once so that counting allocates nothing. */
  readonly countLabels: readonly RequestLabels[];
  readonly timeLabels: Readonly<{ service: string; method: string }>;
}

/** Limit of a request whose method names none, bytes. */
export const defaultMaxRequestBytes = 65_536;

const beforePasswordChange = new Set(['/parley.directory.v1.AuthService/ChangePassword']);

/** Every method of a service; throws when one has no access option, no handler, or streams upwards. */
export function registerMethods(mounted: MountedService): RegisteredMethod[] {
  return mounted.desc.methods.map(method => registerMethod(mounted, method));
}

function registerMethod(mounted: MountedService, desc: DescMethod): RegisteredMethod {
  const service = mounted.desc.typeName;
  const path = `/${service}/${desc.name}`;
  if (desc.methodKind !== 'unary' && desc.methodKind !== 'server_streaming') {
    throw new Error(`${path}: clients cannot stream upwards`);
  }
  const option = getOption(desc, access);
  const audience = audienceNames.get(option.audience);
  if (audience === undefined) throw new Error(`${path}: the access option with an audience is missing`);
  if (audience === 'service' && option.callers.length === 0) throw new Error(`${path}: no callers are named`);
  if (audience !== 'person' && option.roles.length > 0) throw new Error(`${path}: roles need the audience PERSON`);
  const impl = mounted.impl[desc.localName];
  if (typeof impl !== 'function') throw new Error(`${path}: there is no handler`);
  const labels = { service, method: desc.name };
  return {
    path,
    service,
    name: desc.name,
    desc,
    input: desc.input,
    output: desc.output,
    streaming: desc.methodKind === 'server_streaming',
    audience,
    roles: option.roles.length > 0 ? option.roles : undefined,
    callers: new Set(option.callers),
    idempotent: option.idempotent,
    maxRequestBytes: option.maxRequestBytes || defaultMaxRequestBytes,
    allowedBeforePasswordChange: beforePasswordChange.has(path),
    handler: impl.bind(mounted.impl) as RegisteredMethod['handler'],
    countLabels: statusNames.map(status => Object.freeze({ ...labels, status })),
    timeLabels: Object.freeze(labels),
  };
}

const audienceNames = new Map<number, RegisteredMethod['audience']>([
  [Audience.PUBLIC, 'public'],
  [Audience.PERSON, 'person'],
  [Audience.SERVICE, 'service'],
]);
