import { encodeMessage } from './codec.ts';
import type { ParleyError } from './errors.ts';
import { frameBytes, responseTypes, trailers, writeFrame } from './grpc-web-framing.ts';
import type { StreamSink } from './service.ts';
import { errorToStatus } from './status.ts';
import { WebCall } from './web-call.ts';

/** Streams with something to write; all of them are flushed together once per turn of the event loop. */
let pending: WebStreamCall[] = [];

function flushAll(): void {
  const streams = pending;
  pending = [];
  for (const stream of streams) stream.flush();
}

/** A server stream by gRPC-Web: what is queued in one turn leaves as one chunk. */
export class WebStreamCall extends WebCall implements StreamSink {
  #queue: Uint8Array[] = [];
  #queueBytes = 0;
  #scheduled = false;
  #started = false;
  #blocked = false;
  #drained: (() => void)[] | undefined = undefined;

  override get sink(): StreamSink {
    return this;
  }

  send(message: unknown): void {
    if (!this.finished) this.sendEncoded(encodeMessage(this.method.output, message));
  }

  sendEncoded(bytes: Uint8Array): void {
    if (this.finished) return;
    this.#queue.push(bytes);
    this.#queueBytes += frameBytes(bytes);
    if (this.#queueBytes > this.owner.maxQueuedBytes) return this.owner.overflow(this);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (pending.push(this) === 1) setImmediate(flushAll);
  }

  get queuedBytes(): number {
    return this.#queueBytes + (this.response?.writableLength ?? 0);
  }

  onDrain(listener: () => void): void {
    this.#drained ??= [];
    this.#drained.push(listener);
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#queueBytes === 0 || this.finished) return;
    if (this.queuedBytes > this.owner.maxQueuedBytes) return this.owner.overflow(this);
    this.#write(this.#take());
  }

  /** Everything queued, framed, as one buffer. */
  #take(): Buffer {
    const chunk = Buffer.allocUnsafe(this.#queueBytes);
    let at = 0;
    for (const bytes of this.#queue) at = writeFrame(chunk, at, bytes);
    this.#queue = [];
    this.#queueBytes = 0;
    return chunk;
  }

  #write(chunk: Buffer): void {
    const { response } = this;
    if (!response) return;
    if (!this.#started) {
      this.#started = true;
      response.writeHead(200, ['content-type', responseTypes[this.encoding], ...this.extra]);
    }
    const data = this.encoding === 'text' ? chunk.toString('base64') : chunk;
    if (response.write(data, 'latin1')) return this.#onDrained();
    if (this.#blocked) return;
    this.#blocked = true;
    response.once('drain', () => {
      this.#blocked = false;
      this.#onDrained();
    });
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
    const { response } = this;
    if (!response) return;
    this.#write(Buffer.concat([this.#take(), trailers(error && errorToStatus(error, this.requestId))]));
    response.end();
    this.response = undefined;
  }

  /** Cuts the connection: the reader does not take what he is sent. */
  destroy(): void {
    this.#queue = [];
    this.#queueBytes = 0;
    const { response } = this;
    this.response = undefined;
    response?.destroy();
  }
}
