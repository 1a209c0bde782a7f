import { connect, type Socket } from 'node:net';
import type { DescMessage, DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';

/** Called with every message frame of a response or stream. */
export type FrameHandler = (payload: Uint8Array) => void;

/** A gRPC-Web connection over one HTTP/1.1 socket, as lean as a load generator must be. */
export interface WireConnection {
  /** Sends a request; `done` is called with the message when the whole response is there, or with the status text when it failed. */
  call(request: Buffer, done: (payload: Uint8Array | undefined, status: string) => void): void;
  /** Sends a request whose response is a stream; every message goes to `onFrame`. The connection is used up. */
  stream(request: Buffer, onFrame: FrameHandler, onEnd: (status: string) => void): void;
  close(): void;
}

/** A whole request, ready to be written again and again. */
export function encodeCall<I extends DescMessage>(
  method: DescMethod & { readonly input: I },
  message: MessageInitShape<I>,
  token: string,
): Buffer {
  const body = toBinary(method.input, create(method.input, message));
  const head = `POST /${method.parent.typeName}/${method.name} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/grpc-web+proto\r\nauthorization: Bearer ${token}\r\ncontent-length: ${body.length + 5}\r\n\r\n`;
  const out = Buffer.alloc(head.length + 5 + body.length);
  out.write(head, 'latin1');
  out.writeUInt32BE(body.length, head.length + 1);
  out.set(body, head.length + 5);
  return out;
}

/** Opens a connection. */
export function openWire(host: string, port: number): Promise<WireConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => resolve(wire(socket)));
  });
}

const HEAD_END = Buffer.from('\r\n\r\n');

function wire(socket: Socket): WireConnection {
  const waiting: ((payload: Uint8Array | undefined, status: string) => void)[] = [];
  let buffered: Buffer = Buffer.alloc(0);
  let streaming: { onFrame: FrameHandler; onEnd: (status: string) => void } | undefined;
  let inBody = false;
  const frames = frameReader();
  socket.on('error', () => undefined);
  socket.on('close', () => {
    streaming?.onEnd('closed');
    for (const done of waiting.splice(0)) done(undefined, 'closed');
  });
  socket.on('data', chunk => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    if (streaming && inBody) return readChunks();
    for (;;) {
      const end = buffered.indexOf(HEAD_END);
      if (end < 0) return;
      const head = buffered.toString('latin1', 0, end);
      if (streaming) {
        buffered = buffered.subarray(end + 4);
        inBody = true;
        if (!head.startsWith('HTTP/1.1 200')) return streaming.onEnd(head);
        return readChunks();
      }
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (buffered.length < end + 4 + length) return;
      const body = buffered.subarray(end + 4, end + 4 + length);
      buffered = buffered.subarray(end + 4 + length);
      answer(head, body);
    }
  });

  function answer(head: string, body: Buffer): void {
    const done = waiting.shift();
    const size = body.length >= 5 ? body.readUInt32BE(1) : 0;
    if (body.length < 5 || (body[0] as number) & 0x80)
      return done?.(undefined, /grpc-message: ([^\r\n]*)/i.exec(head)?.[1] ?? body.toString('latin1', 5));
    done?.(body.subarray(5, 5 + size), '0');
  }

  /** Undoes chunked transfer coding (RFC 9112, 7.1) and hands the frames on. */
  function readChunks(): void {
    for (;;) {
      const line = buffered.indexOf('\r\n');
      if (line < 0) return;
      const size = Number.parseInt(buffered.toString('latin1', 0, line), 16);
      if (buffered.length < line + 2 + size + 2) return;
      frames(
        buffered.subarray(line + 2, line + 2 + size),
        streaming as { onFrame: FrameHandler; onEnd: (status: string) => void },
      );
      buffered = buffered.subarray(line + 2 + size + 2);
      if (size === 0) return;
    }
  }

  return {
    call(request, done) {
      waiting.push(done);
      socket.write(request);
    },
    stream(request, onFrame, onEnd) {
      streaming = { onFrame, onEnd };
      socket.write(request);
    },
    close: () => socket.destroy(),
  };
}

/** Cuts a stream of bytes into gRPC-Web frames. */
function frameReader(): (bytes: Buffer, to: { onFrame: FrameHandler; onEnd: (status: string) => void }) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes, to) => {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    while (rest.length >= 5) {
      const size = rest.readUInt32BE(1);
      if (rest.length < 5 + size) return;
      const payload = rest.subarray(5, 5 + size);
      if ((rest[0] as number) & 0x80) to.onEnd(payload.toString('latin1'));
      else to.onFrame(payload);
      rest = rest.subarray(5 + size);
    }
  };
}
