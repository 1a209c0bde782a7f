/** A field of metadata. Values of names that end in `-bin` are bytes, all others printable ASCII. */
export interface MetadataField {
  /** Lower case. */
  readonly name: string;
  readonly value: string | Uint8Array;
}

/**
 * What travels beside the messages of a call. Our own clients need none of it; foreign ones may. In process nothing
 * travels: the request has no fields, and those of the response are dropped.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export interface CallMetadata {
  /** What the caller sent, without tokens and without what the transport needs for itself. */
  readonly request: readonly MetadataField[];
  /**
   * Adds a field to what is sent before the response; a stream's leave with its first message. Throws for a name or a
   * value that gRPC does not allow.
   */
  header(name: string, value: string | Uint8Array): void;
  /** Adds a field to what is sent after the response. Throws for a name or a value that gRPC does not allow. */
  trailer(name: string, value: string | Uint8Array): void;
}

/** Fields of requests that are not metadata: tokens, and what HTTP and gRPC need for themselves. */
const notMetadata = new Set([
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-timeout',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-parley-person-token',
]);

/** Whether a field of a request is metadata that handlers may see. `name` in lower case. */
export function isMetadata(name: string): boolean {
  return !notMetadata.has(name) && name.charCodeAt(0) !== 58;
}

/** Whether the values of a name are bytes. */
export function isBinary(name: string): boolean {
  return name.endsWith('-bin');
}

/** The fields of a request from a flat list of names and values. */
export function readMetadata(raw: readonly string[]): MetadataField[] {
  const fields: MetadataField[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const value = raw[i + 1] as string;
    if (!isMetadata(name)) continue;
    if (!isBinary(name)) fields.push({ name, value });
    else for (const piece of value.split(',')) fields.push({ name, value: Buffer.from(piece.trim(), 'base64') });
  }
  return fields;
}

/** Fields of a response, collected by a handler; see {@link CallMetadata}. */
export class ResponseMetadata implements CallMetadata {
  readonly headers: MetadataField[] = [];
  readonly trailers: MetadataField[] = [];
  readonly #read: () => MetadataField[];
  #request: MetadataField[] | undefined = undefined;

  constructor(read: () => MetadataField[]) {
    this.#read = read;
  }

  get request(): readonly MetadataField[] {
    this.#request ??= this.#read();
    return this.#request;
  }

  header(name: string, value: string | Uint8Array): void {
    this.headers.push(checked(name, value));
  }

  trailer(name: string, value: string | Uint8Array): void {
    this.trailers.push(checked(name, value));
  }
}

function checked(name: string, value: string | Uint8Array): MetadataField {
  const lower = name.toLowerCase();
  if (!/^[0-9a-z_.-]{1,128}$/.test(lower) || lower.startsWith('grpc-') || lower.startsWith('access-control-')) {
    throw new Error(`${name} is not a name of metadata`);
  }
  if (!isMetadata(lower) || lower === 'content-type') throw new Error(`${name} is the transport's`);
  if (isBinary(lower) !== (typeof value !== 'string')) throw new Error(`${name}: bytes belong to names in -bin`);
  if (typeof value === 'string' && !/^[\x20-\x7e]*$/.test(value)) throw new Error(`${name}: not printable ASCII`);
  return { name: lower, value };
}

/** How a field is written in HTTP. */
export function metadataText({ value }: MetadataField): string {
  if (typeof value === 'string') return value;
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64').replace(/=+$/, '');
}

/** Names and values in turn, as `writeHead` takes them. */
export function metadataFields(fields: readonly MetadataField[]): string[] {
  return fields.flatMap(field => [field.name, metadataText(field)]);
}
