import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A gRPC-Web frame. */
export function webFrame(bytes: Uint8Array, flags = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

/** Messages and trailers of a gRPC-Web body. */
export function readFrames(body: Buffer): { messages: Buffer[]; trailers: Map<string, string> | undefined } {
  const messages: Buffer[] = [];
  let trailers: Map<string, string> | undefined;
  for (let at = 0; at < body.length; ) {
    const length = body.readUInt32BE(at + 1);
    const content = body.subarray(at + 5, at + 5 + length);
    if (body[at] === 0x80) trailers = fields(content.toString('latin1'), /\r\n/);
    else messages.push(content);
    at += 5 + length;
  }
  return { messages, trailers };
}

function fields(text: string, separator: RegExp): Map<string, string> {
  const lines = text.split(separator).filter(line => line !== '');
  return new Map(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** A connection on which a test says exactly what is sent. */
export class RawConnection {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    const ended = () => {
      this.#closed = true;
      this.#wake();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    socket.on('error', () => {});
  }

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  get received(): Buffer {
    return this.#received;
  }

  /** Waits until what was received passes; rejects when the connection ends before. */
  async until<T>(look: (received: Buffer) => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look(this.#received);
      if (found !== undefined && found !== false) return found;
      if (this.#closed)
        throw new Error(`the connection ended after: ${this.#received.toString('latin1').slice(0, 400)}`);
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** Waits until the server has ended the connection. */
  async closed(): Promise<void> {
    while (!this.#closed) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  /** The next whole response with `content-length` or in chunks; it is taken out of what was received. */
  response(): Promise<RawResponse> {
    return this.until(received => {
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd === -1) return undefined;
      const head = received.subarray(0, headEnd).toString('latin1');
      const headers = fields(head.slice(head.indexOf('\r\n') + 2), /\r\n/);
      const rest = received.subarray(headEnd + 4);
      const read = headers.get('transfer-encoding') === 'chunked' ? chunked(rest) : plain(rest, headers);
      if (!read) return undefined;
      this.#received = this.#received.subarray(headEnd + 4 + read.used);
      return { status: Number(head.split(' ')[1]), headers, body: read.body };
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

function plain(rest: Buffer, headers: ReadonlyMap<string, string>) {
  const length = Number(headers.get('content-length') ?? 0);
  return rest.length >= length ? { body: rest.subarray(0, length), used: length } : undefined;
}

function chunked(rest: Buffer): { body: Buffer; used: number } | undefined {
  const pieces: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16);
    if (rest.length < lineEnd + 2 + size + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(pieces), used: lineEnd + 4 };
    pieces.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/** Head of a gRPC-Web request. */
export function webHead(path: string, length: number, fields: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: 'chat.example',
    authorization: 'Bearer person:p1',
    'content-type': 'application/grpc-web+proto',
    'content-length': String(length),
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
