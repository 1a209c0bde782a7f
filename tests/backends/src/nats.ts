/** NATS: one Go binary, no data. */
import { join } from 'node:path';
import { HOST } from './net.ts';
import type { Recipe } from './recipe.ts';
import type { RunContext } from './run.ts';
import { type BackendHandle, createServerProcess, type Server } from './server.ts';
import { run } from './tools.ts';
import { artefactDir, VERSIONS } from './versions.ts';
import { natsAnswers } from './wire.ts';

/** What a NATS test may change. */
export interface NatsOptions {
  /** More arguments for the server, for instance `["--user", "u", "--pass", "p"]` or `["-c", file]`. */
  readonly args?: readonly string[];
}

/** A running NATS server. */
export interface NatsBackend extends BackendHandle {
  /** `nats://127.0.0.1:PORT` */
  readonly url: string;
}

/** How the server is built. */
export const buildNats: Recipe = {
  tools: ['go'],
  async build({ dir, logFile, step }) {
    const module = `github.com/nats-io/nats-server/v2@v${VERSIONS.nats}`;
    const env = { GOBIN: join(dir, 'bin'), GOTOOLCHAIN: 'local' };
    await step('go install', () => run(['go', 'install', module], { logFile, env }));
    return { module };
  },
};

/** How the server is run; the caller starts it. */
export async function prepareNats(context: RunContext, options: NatsOptions): Promise<Server & NatsBackend> {
  const port = context.port('nats');
  const binary = join(artefactDir('nats'), 'bin', 'nats-server');
  const server = createServerProcess({
    ...context.server('nats'),
    command: [binary, '-a', HOST, '-p', String(port), ...(options.args ?? [])],
    // A server that wants credentials or TLS does not answer a plain PING.
    ready: async printed =>
      printed.includes('Server is ready') && (options.args !== undefined || (await natsAnswers(port))),
    stopSignal: 'SIGTERM',
  });
  return { ...server, url: `nats://${HOST}:${port}` };
}
