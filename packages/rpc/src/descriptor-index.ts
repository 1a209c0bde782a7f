import { type DescFile, type DescMessage, type DescService, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema } from '@parley/contracts';

/** Files of the mounted services and all they import, by what they define; for server reflection. */
export class DescriptorIndex {
  /** Full names of the services, sorted. */
  readonly services: readonly string[];
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();
  readonly #extensions = new Map<string, Map<number, DescFile>>();
  readonly #types = new Set<string>();

  constructor(services: readonly DescService[]) {
    this.services = [
      ...services.map(service => service.typeName),
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ].sort();
    for (const service of services) this.#addFile(service.file);
    // Refusals of every method carry it, though no method names it.
    this.#addFile(ErrorInfoSchema.file);
  }

  #addFile(file: DescFile): void {
    if (this.#files.has(file.proto.name)) return;
    this.#files.set(file.proto.name, file);
    for (const service of file.services) {
      this.#symbols.set(service.typeName, file);
      for (const method of service.methods) this.#symbols.set(`${service.typeName}.${method.name}`, file);
    }
    for (const message of file.messages) this.#addMessage(message, file);
    for (const desc of file.enums) this.#symbols.set(desc.typeName, file);
    for (const extension of file.extensions) {
      this.#symbols.set(extension.typeName, file);
      const numbers = this.#extensions.get(extension.extendee.typeName) ?? new Map<number, DescFile>();
      numbers.set(extension.number, file);
      this.#extensions.set(extension.extendee.typeName, numbers);
    }
    for (const dependency of file.dependencies) this.#addFile(dependency);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#symbols.set(message.typeName, file);
    this.#types.add(message.typeName);
    for (const nested of message.nestedMessages) this.#addMessage(nested, file);
    for (const nested of message.nestedEnums) this.#symbols.set(nested.typeName, file);
  }

  /** The file of that name and all it imports, encoded. */
  byName(name: string): readonly Uint8Array[] | undefined {
    return this.#encode(this.#files.get(name));
  }

  /** The file that defines a service, method, message, enum or extension. */
  bySymbol(symbol: string): readonly Uint8Array[] | undefined {
    return this.#encode(this.#symbols.get(symbol));
  }

  byExtension(type: string, number: number): readonly Uint8Array[] | undefined {
    return this.#encode(this.#extensions.get(type)?.get(number));
  }

  /** Numbers of the known extensions of a message; undefined when there is no such message. */
  extensionNumbers(type: string): readonly number[] | undefined {
    if (!this.#types.has(type)) return undefined;
    return [...(this.#extensions.get(type)?.keys() ?? [])];
  }

  #encode(file: DescFile | undefined): readonly Uint8Array[] | undefined {
    if (!file) return undefined;
    const all = new Set<DescFile>();
    const add = (one: DescFile) => {
      if (all.has(one)) return;
      all.add(one);
      one.dependencies.forEach(add);
    };
    add(file);
    return [...all].map(one => toBinary(FileDescriptorProtoSchema, one.proto));
  }
}
