import type { Socket } from 'node:net';
import { encodeMessage } from './codec.ts';
import type { ParleyError } from './errors.ts';
import { frameBytes, responseTypes, trailers, writeFrame } from './grpc-web-framing.ts';
import type { StreamSink } from './service.ts';
import { takeSocket } from './take-socket.ts';
import { WebCall } from './web-call.ts';

/** Streams with something to write; all of them are flushed together once per turn of the event loop. */
let pending: WebStreamCall[] = [];

function flushAll(): void {
  const streams = pending;
  pending = [];
  for (const stream of streams) stream.flush();
}

const nothing: Uint8Array[] = [];

/**
 * A server stream by gRPC-Web: what is queued in one turn leaves as one chunk in one write. With HTTP/1.1 in clear the
 * connection is taken over from Node's HTTP layer at the first chunk.
 */
export class WebStreamCall extends WebCall implements StreamSink {
  #queue = nothing;
  #queueBytes = 0;
  #scheduled = false;
  #started = false;
  #blocked = false;
  #socket: Socket | undefined = undefined;
  #drained: (() => void)[] | undefined = undefined;

  override get sink(): StreamSink {
    return this;
  }

  send(message: unknown): void {
    if (!this.finished) this.sendEncoded(encodeMessage(this.method.output, message));
  }

  sendEncoded(bytes: Uint8Array): void {
    if (this.finished) return;
    if (this.#queueBytes === 0) this.#queue = [bytes];
    else this.#queue.push(bytes);
    this.#queueBytes += frameBytes(bytes);
    if (this.#queueBytes > this.owner.maxQueuedBytes) return this.owner.overflow(this);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (pending.push(this) === 1) setImmediate(flushAll);
  }

  get queuedBytes(): number {
    return this.#queueBytes + ((this.#socket ?? this.response)?.writableLength ?? 0);
  }

  onDrain(listener: () => void): void {
    this.#drained ??= [];
    this.#drained.push(listener);
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#queueBytes === 0 || this.finished) return;
    if (this.queuedBytes > this.owner.maxQueuedBytes) return this.owner.overflow(this);
    if (this.#started) return this.#write(this.#take(undefined));
    this.#start();
    this.#write(this.#take(undefined));
    this.#socket?.uncork();
  }

  #start(): void {
    this.#started = true;
    const { response } = this;
    if (!response) return;
    const socket = takeSocket(response);
    if (!socket) {
      response.writeHead(200, ['content-type', responseTypes[this.encoding], ...this.headerFields()]);
      return;
    }
    this.response = undefined;
    this.#socket = socket;
    this.forgetRequest();
    (socket as Carrier)[kStream] = this;
    socket.on('close', onClose);
    socket.on('error', ignore);
    socket.on('end', onEnd);
    socket.on('drain', onDrain);
    // What the client may still send is nobody's; reading on shows when it goes away.
    socket.on('data', ignore);
    socket.resume();
    const extra = this.headerFields();
    // Head and first chunk leave together.
    socket.cork();
    let head = `HTTP/1.1 200 OK\r\ncontent-type: ${responseTypes[this.encoding]}\r\ndate: ${httpDate(this.owner.now())}\r\n`;
    for (let i = 0; i + 1 < extra.length; i += 2) head += `${extra[i]}: ${extra[i + 1]}\r\n`;
    socket.write(`${head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n`, 'latin1');
  }

  /** Everything queued and what comes after it, framed, as one buffer; inside an HTTP chunk when the socket is ours. */
  #take(last: Buffer | undefined): Buffer {
    let size = this.#queueBytes + (last?.length ?? 0);
    if (this.encoding === 'text') {
      const plain = Buffer.allocUnsafe(size);
      this.#fill(plain, 0, last);
      const text = plain.toString('base64');
      if (!this.#socket) return Buffer.from(text, 'latin1');
      size = text.length;
      const chunk = this.#chunk(size);
      chunk.write(text, chunk.length - size - 2, 'latin1');
      return chunk;
    }
    if (!this.#socket) {
      const plain = Buffer.allocUnsafe(size);
      this.#fill(plain, 0, last);
      return plain;
    }
    const chunk = this.#chunk(size);
    this.#fill(chunk, chunk.length - size - 2, last);
    return chunk;
  }

  /** An HTTP chunk with place for `size` bytes before its last two. RFC 9112, 7.1 */
  #chunk(size: number): Buffer {
    const head = `${size.toString(16)}\r\n`;
    const chunk = Buffer.allocUnsafe(head.length + size + 2);
    chunk.write(head, 0, 'latin1');
    chunk[chunk.length - 2] = 13;
    chunk[chunk.length - 1] = 10;
    return chunk;
  }

  #fill(target: Buffer, from: number, last: Buffer | undefined): void {
    let at = from;
    if (this.#queueBytes > 0) for (const bytes of this.#queue) at = writeFrame(target, at, bytes);
    last?.copy(target, at);
    this.#queue = nothing;
    this.#queueBytes = 0;
  }

  #write(chunk: Buffer): void {
    const target = this.#socket ?? this.response;
    if (!target) return;
    if (target.write(chunk)) return this.#onDrained();
    if (this.#blocked) return;
    this.#blocked = true;
    if (!this.#socket) target.once('drain', () => this.drained());
  }

  /** The socket has taken everything. */
  drained(): void {
    this.#blocked = false;
    this.#onDrained();
  }

  #onDrained(): void {
    if (this.#drained && this.queuedBytes === 0) for (const listener of this.#drained) listener();
  }

  override end(): void {
    this.#finish(undefined);
  }

  override refuse(error: ParleyError): void {
    if (!this.#started && this.#queueBytes === 0) return super.refuse(error);
    this.#finish(error);
  }

  #finish(error: ParleyError | undefined): void {
    const last = trailers(error && this.owner.statusOf(error, this.requestId), this.trailerFields());
    const socket = this.#socket;
    const { response } = this;
    this.response = undefined;
    if (socket) {
      socket.write(Buffer.concat([this.#take(last), lastChunk]));
      socket.destroySoon();
    } else if (response) {
      if (!this.#started)
        response.writeHead(200, ['content-type', responseTypes[this.encoding], ...this.headerFields()]);
      response.end(this.#take(last));
    }
    this.#started = true;
  }

  /** Cuts the connection: the reader does not take what he is sent, or the server stops. */
  destroy(): void {
    this.#queue = nothing;
    this.#queueBytes = 0;
    const target = this.#socket ?? this.response;
    this.#socket = undefined;
    this.response = undefined;
    target?.destroy();
  }
}

const lastChunk = Buffer.from('0\r\n\r\n', 'latin1');

const kStream = Symbol('stream');
type Carrier = Socket & { [kStream]?: WebStreamCall };

function onClose(this: Carrier): void {
  const stream = this[kStream];
  stream?.owner.closed(stream);
}

/** The client has closed its half: it reads no more either. */
function onEnd(this: Carrier): void {
  this.destroy();
}

function onDrain(this: Carrier): void {
  this[kStream]?.drained();
}

function ignore(): void {}

let dateSecond = 0;
let dateText = '';

/** `date` of responses, made once a second. */
function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}
