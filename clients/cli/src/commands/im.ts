import { Code } from '@connectrpc/connect';
import { type ImEvent, MachineState, memoryCursorStore, ParleyClientError, toClientError } from '@parley/client';
import { Command, Option } from 'commander';
import type { Cli } from '../cli.ts';
import { parseCount, parseDuration } from '../duration.ts';
import { UsageError } from '../exit-codes.ts';
import type { Input } from '../io.ts';
import { messageLine } from '../output/message.ts';
import { messageJson } from '../output/shapes.ts';
import { isoOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';
import { goOnline, tellConnection, untilInterrupted } from '../stream.ts';

/** `im send|history|listen`. */
export function imCommand(shell: Shell): Command {
  const im = new Command('im').description('send and read instant messages');
  im.addCommand(
    examples(
      new Command('send')
        .description('send a message; returns when it is durable')
        .argument('<person>', 'address or id')
        .argument('[text...]', 'what to say; nothing: standard input')
        .addOption(new Option('--importance <level>', 'how urgent it is').choices(['normal', 'high']).default('normal'))
        .option('--message-id <uuid>', 'id of the message; the same one with the same text never sends twice')
        .action(shell.action(send)),
      'im send tom.okafor@hospital.example Is ward 3 ready?',
      'im send tom.okafor@hospital.example -- --this text begins with dashes',
      'im send tom.okafor@hospital.example < message.txt',
    ),
  );
  im.addCommand(
    examples(
      new Command('history')
        .description('print the messages with a person, oldest first')
        .argument('<person>', 'address or id')
        .option('--limit <count>', 'the last so many', parseCount(1, 1_000_000), 20)
        .option('--all', 'all of them')
        .action(shell.action(history)),
      'im history tom.okafor@hospital.example --limit 50',
    ),
  );
  im.addCommand(
    examples(
      new Command('listen')
        .description('print every message that comes for you, until Ctrl-C')
        .option('--since <duration>', 'begin with those of the last 2h, 3d (at most 30 days)', parseDuration, 0)
        .action(shell.action(listen)),
      'im listen',
      'im listen --since 1d --json | jq -r .text',
    ),
  );
  return im;
}

/** A message longer than this is refused anyway (im.proto: 32,000 bytes). */
const MOST_INPUT_BYTES = 65_536;

async function send(
  cli: Cli,
  options: { importance: 'normal' | 'high'; messageId?: string },
  name: string,
  words: readonly string[],
): Promise<void> {
  const { io } = cli;
  if (words.length === 0 && io.stdin.isTTY) throw new UsageError('what do you want to say?', 'Add the text.');
  const text = words.length > 0 ? words.join(' ') : await readText(io.stdin);
  const person = await cli.people.one(name);
  const giveUp = new AbortController();
  const { messageId, acknowledged } = cli.client().send(person.id, text, {
    importance: options.importance,
    signal: AbortSignal.any([giveUp.signal, io.interrupted]),
    ...(options.messageId && { messageId: options.messageId }),
  });
  const timer = setTimeout(() => giveUp.abort(notAcknowledged(messageId)), cli.options.timeout);
  const result = await acknowledged.finally(() => clearTimeout(timer));
  cli.print.result(
    {
      messageId,
      id: result.eventId,
      conversationId: result.conversationId,
      key: result.key,
      at: isoOf(result.acceptedMs),
      replayed: result.replayed,
    },
    () => [result.replayed ? 'Was sent before.' : 'Sent.'],
  );
}

const notAcknowledged = (messageId: string) =>
  new ParleyClientError(
    'client.not_acknowledged',
    Code.DeadlineExceeded,
    `not acknowledged in time; it may have been sent. Try again with --message-id ${messageId}`,
  );

async function readText(input: Input): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer));
    size += chunks.at(-1)?.length ?? 0;
    if (size > MOST_INPUT_BYTES) throw new UsageError(`standard input holds more than ${MOST_INPUT_BYTES} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8').replaceAll('\r\n', '\n').replace(/\n+$/, '');
}

async function history(cli: Cli, options: { limit: number; all?: boolean }, name: string): Promise<void> {
  const client = cli.client();
  const person = await cli.people.one(name);
  const self = await client.signedInAs();
  const wanted = options.all ? Number.POSITIVE_INFINITY : options.limit;
  const events: ImEvent[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined && events.length < wanted; ) {
    const limit = Math.min(200, wanted - events.length);
    const page: HistoryPage = await client.services.im
      .getHistory({ withPersonId: person.id, cursor, limit }, { signal: cli.io.interrupted })
      .catch(emptyWhereNothingWasSaid);
    events.push(...page.events.filter(event => event.content));
    cursor = page.nextCursor || undefined;
    cli.print.progress(`${events.length} messages`);
  }
  events.reverse();
  const names = new Map([[person.id, person.displayName]]);
  if (self !== undefined) names.set(self, 'You');
  cli.print.result(events.map(messageJson), () =>
    events.map(event => messageLine(cli, event, names.get(event.senderId) ?? event.senderId)),
  );
}

interface HistoryPage {
  readonly events: readonly ImEvent[];
  readonly nextCursor: string;
}

function emptyWhereNothingWasSaid(error: unknown): HistoryPage {
  const failure = toClientError(error);
  if (failure instanceof ParleyClientError && failure.code === 'im.conversation_not_found')
    return { events: [], nextCursor: '' };
  throw failure;
}

async function listen(cli: Cli, options: { since: number }): Promise<void> {
  const { io, profile, print } = cli;
  const started = io.now();
  // an older beginning than the last synchronisation needs the whole inbox
  const cursors = options.since > 0 ? memoryCursorStore() : profile.cursors;
  const client = cli.newClient({ endpointId: profile.endpointId(), cursors });
  const self = await client.signedInAs();
  let printing = Promise.resolve();
  client.onEvent(event => {
    const connection = client.connection.getSnapshot();
    const clockAheadMs = connection.phase === 'online' ? connection.clockAheadMs : 0;
    const wanted = Number(event.acceptedMs) + clockAheadMs >= started - options.since;
    if (event.senderId === self || !event.content || !wanted) return;
    printing = printing.then(async () => {
      const name = await cli.people.nameOf(event.senderId);
      print.event({ ...messageJson(event), senderName: name }, () => messageLine(cli, event, name));
    });
  });
  tellConnection(cli, client);
  await goOnline(cli, client, MachineState.AWAY); // nobody is proven to sit here
  await untilInterrupted(cli, client);
  await printing;
}
