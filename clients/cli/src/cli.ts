import { Code } from '@connectrpc/connect';
import { createParleyClient, type ParleyClient, ParleyClientError, type ParleyClientOptions } from '@parley/client';
import { UsageError } from './exit-codes.ts';
import type { Io } from './io.ts';
import { createPrinter, type Printer } from './output/printer.ts';
import { createPeople, type People } from './people.ts';
import { openProfile, type Profile } from './profile.ts';
import { createSecrets, type Secrets } from './secrets.ts';
import { serverUrl } from './server-url.ts';

/** Options that every command has. */
export interface GlobalOptions {
  readonly profile: string;
  readonly server?: string;
  readonly json?: boolean;
  readonly color: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  readonly insecureHttp?: boolean;
}

/** What a command works with. */
export interface Cli {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly print: Printer;
  readonly profile: Profile;
  readonly secrets: Secrets;
  /** Address of the server: that of the profile; for a new profile, that of option or environment. */
  server(): string;
  /** The client of this profile, made on first use. */
  client(): ParleyClient;
  /** Another client, closed with the command. */
  newClient(options?: Partial<ParleyClientOptions>): ParleyClient;
  readonly people: People;
  /** Ends what the command left open. */
  close(): Promise<void>;
}

/** Makes what a command works with; reads and sends nothing yet. */
export function createCli(io: Io, options: GlobalOptions): Cli {
  const profile = openProfile(options.profile, io.env);
  const clients: ParleyClient[] = [];
  let own: ParleyClient | undefined;

  const cli: Cli = {
    io,
    options,
    print: createPrinter(io, { json: options.json === true, color: options.color }),
    profile,
    secrets: createSecrets(io),
    server() {
      const kept = profile.server();
      const asked = options.server === undefined ? undefined : serverUrl(options.server, options.insecureHttp === true);
      // the tokens of one server are not shown to another
      if (kept !== undefined && asked !== undefined && asked !== kept)
        throw new UsageError(
          `profile "${profile.name}" belongs to ${kept}, not to ${asked}`,
          'Use a profile for each server: --profile NAME',
        );
      const server = kept ?? asked ?? (io.env.PARLEYCTL_SERVER || undefined);
      if (server === undefined)
        throw new ParleyClientError('client.signed_out', Code.Unauthenticated, 'nobody is signed in with this profile');
      return kept ?? serverUrl(server, options.insecureHttp === true);
    },
    client() {
      own ??= cli.newClient();
      return own;
    },
    newClient(more = {}) {
      const client = createParleyClient({
        baseUrl: cli.server(),
        name: 'parleyctl',
        tokens: profile.tokens,
        timeoutMs: options.timeout,
        environment: { exclusive: profile.exclusive },
        ...(io.fetch && { fetch: io.fetch }),
        ...more,
      });
      clients.push(client);
      return client;
    },
    people: createPeople(() => cli.client()),
    async close() {
      await Promise.all(clients.map(client => client.close().catch(() => undefined)));
    },
  };
  return cli;
}
