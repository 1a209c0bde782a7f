import { type DescService, getOption } from '@bufbuild/protobuf';
import {
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Audience, access } from '@parley/contracts';
import { bearerToken } from './authenticator.ts';
import { DescriptorIndex } from './descriptor-index.ts';
import { encodeReply, type ReflectionReply, readQuestion } from './reflection-wire.ts';
import type { Registry } from './registry.ts';
import { asParleyError, statusOfKind } from './status.ts';

/** A service of the gRPC world itself, below our pipeline. */
export interface RawService {
  readonly definition: ServiceDefinition;
  readonly handlers: UntypedServiceImplementation;
}

/** Questions one stream may ask; grpcurl asks a handful. */
const maxQuestions = 1000;

/**
 * Server reflection, v1 and v1alpha (the same on the wire), for callers with a token of a person or a service.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function reflectionServices(registry: Registry): RawService[] {
  const indexes = new Map<'person' | 'service', DescriptorIndex>();

  /** People are shown what they may call. */
  function indexFor(kind: 'person' | 'service'): DescriptorIndex {
    const { services } = registry;
    const index =
      indexes.get(kind) ?? new DescriptorIndex(kind === 'service' ? services : services.filter(isForPeople));
    indexes.set(kind, index);
    return index;
  }

  function answer(kind: 'person' | 'service', question: Buffer): Buffer {
    const asked = readQuestion(question);
    return Buffer.from(encodeReply(question, asked.host, reply(indexFor(kind), asked)));
  }

  async function serve(source: ServerDuplexStream<Buffer, Buffer>): Promise<void> {
    const { metadata } = source;
    const questions: Buffer[] = [];
    let kind: 'person' | 'service' | undefined;
    let ended = false;
    let asked = 0;
    const refuse = (code: number, details: string) =>
      void source.emit('error', Object.assign(new Error(details), { code, details }));
    source.on('data', (question: Buffer) => {
      if (++asked > maxQuestions) return refuse(status.RESOURCE_EXHAUSTED, 'too many questions');
      if (kind) source.write(answer(kind, question));
      else questions.push(question);
    });
    source.on('end', () => {
      ended = true;
      if (kind) source.end();
    });
    try {
      const bearer = bearerToken(metadata.get('authorization')[0] as string | undefined);
      const principal = await registry.authenticate(bearer, undefined);
      if (principal.kind === 'anonymous') return refuse(status.UNAUTHENTICATED, 'a valid bearer token is needed');
      kind = principal.kind;
      for (const question of questions.splice(0)) source.write(answer(kind, question));
      if (ended) source.end();
    } catch (error) {
      const refusal = asParleyError(error);
      refuse(statusOfKind(refusal.kind), refusal.message);
    }
  }

  return ['v1', 'v1alpha'].map(version => ({
    definition: {
      ServerReflectionInfo: definition(`/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`),
    },
    handlers: { ServerReflectionInfo: ((source: ServerDuplexStream<Buffer, Buffer>) => void serve(source)) as never },
  }));
}

const isForPeople = (service: DescService) =>
  service.methods.some(method => getOption(method, access).audience !== Audience.SERVICE);

function reply(index: DescriptorIndex, asked: ReturnType<typeof readQuestion>): ReflectionReply {
  switch (asked.kind) {
    case 'services':
      return { kind: 'services', names: index.services };
    case 'file':
      return files(index.byName(asked.name));
    case 'symbol':
      return files(index.bySymbol(asked.name));
    case 'extension':
      return files(index.byExtension(asked.name, asked.number));
    case 'extensions': {
      const numbers = index.extensionNumbers(asked.name);
      return numbers ? { kind: 'extensions', name: asked.name, numbers } : notFound;
    }
    case 'none':
      return { kind: 'error', code: status.INVALID_ARGUMENT, message: 'nothing was asked' };
  }
}

const notFound: ReflectionReply = { kind: 'error', code: status.NOT_FOUND, message: 'not found' };

function files(found: readonly Uint8Array[] | undefined): ReflectionReply {
  return found ? { kind: 'files', files: found } : notFound;
}

function definition(path: string) {
  const identity = (bytes: Buffer) => bytes;
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  };
}
