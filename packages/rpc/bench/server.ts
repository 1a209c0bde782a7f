// The measured process: answers `cpu`, `memory` and `write <n>` of its parent by IPC. See README.md.
import { createHealth, systemClock } from '@parley/runtime';
import { createGrpcServer, createWebServer, type StreamSink } from '../src/index.ts';
import { aborted, createBench } from '../src/testing/harness.ts';

const sinks = new Set<StreamSink>();
const bench = createBench({
  im: { sendMessage: async request => ({ eventId: request.messageId, key: 'k', conversationId: 'c' }) },
  internal: { getPrincipals: async () => ({}) },
  session: {
    async connect(_, context, sink) {
      sink.send({ event: { case: 'heartbeat', value: {} } });
      sinks.add(sink);
      await aborted(context.signal);
      sinks.delete(sink);
    },
  },
});
const common = { ...bench, clock: systemClock, health: createHealth(), host: '127.0.0.1', port: 0 };
const web = createWebServer(common);
const grpc = createGrpcServer(common);
await web.start();
await grpc.start();

/** A message of the size of a presence change. */
const event = new Uint8Array(120);

process.on('message', async (ask: { what: string; n?: number }) => {
  if (ask.what === 'write') {
    for (let i = 0; i < (ask.n ?? 1); i++) {
      for (const sink of sinks) sink.sendEncoded(event);
      await new Promise(resolve => setImmediate(resolve));
      while ([...sinks].some(sink => sink.queuedBytes > 0)) await new Promise(resolve => setImmediate(resolve));
    }
  }
  for (let i = 0; ask.what === 'memory' && i < 4; i++) {
    globalThis.gc?.();
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ cpu: user + system, user, system, rss, heapUsed, external, streams: sinks.size });
});
process.on('disconnect', () => process.exit());
process.send?.({ web: web.port, grpc: grpc.port });
