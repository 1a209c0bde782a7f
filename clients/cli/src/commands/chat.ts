import { MachineState, type ParleyClient, ParleyClientError, type Person, type ShownMessage } from '@parley/client';
import { Command } from 'commander';
import { createOutgoing } from '../chat/outgoing.ts';
import { pipedScreen, type Screen, terminalScreen } from '../chat/screen.ts';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { exitCodeOf } from '../exit-codes.ts';
import { failureOf } from '../output/failure.ts';
import { conversationLine } from '../output/message.ts';
import { availabilityText, paintAvailability, presenceJson } from '../output/presence.ts';
import { oneLine, safeJson } from '../output/text.ts';
import { isoOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';
import { goOnline, tellConnection, untilInterrupted } from '../stream.ts';

/** `chat`. */
export function chatCommand(shell: Shell): Command {
  return examples(
    new Command('chat')
      .description('talk with a person: every line is a message, until Ctrl-D or the end of standard input')
      .argument('<person>', 'address or id')
      .option('--history <count>', 'show so many earlier messages; default: 20, piped 0', parseCount(0, 200))
      .action(shell.action(chat)),
    'chat tom.okafor@hospital.example',
    "printf 'ward 3 is ready\\n' | parleyctl chat tom.okafor@hospital.example",
  );
}

/** How often typing is told to the server as activity. */
const ACTIVITY_EVERY_MS = 60_000;

async function chat(cli: Cli, options: { history?: number }, name: string): Promise<number> {
  const { io, print, profile } = cli;
  const interactive = io.stdin.isTTY === true && io.stdout.isTTY === true && !print.json;
  const client = cli.newClient({ endpointId: profile.endpointId(), cursors: profile.cursors });
  const person = await cli.people.one(name);
  const transcript = createTranscript(cli, client, person);
  await transcript.begin(options.history ?? (interactive ? 20 : 0));
  await client.watch([person.id]);
  await goOnline(cli, client, MachineState.ACTIVE);

  let reportedMs = io.now();
  const outgoing = createOutgoing(client, person.id, {
    waiting: count => screen.setWaiting(count),
    failed: (text, messageId, error) => transcript.failed(text, messageId, error),
  });
  const onLine = (line: string) => {
    if (line.trim() === '') return;
    if (io.now() - reportedMs > ACTIVITY_EVERY_MS) {
      reportedMs = io.now();
      client.reportActivity(MachineState.ACTIVE).catch(() => undefined); // the next one will do
    }
    outgoing.send(line);
    client.wake(); // whoever types wants to know now whether the server is back
  };
  const screen: Screen = interactive ? terminalScreen(io, onLine) : pipedScreen(io, onLine);
  transcript.follow(screen);
  if (interactive) screen.show(print.style('dim', '-- Ctrl-D ends the conversation'));
  tellConnection(cli, client, text => (interactive ? screen.show(print.style('dim', text)) : print.note(text)));
  try {
    await Promise.race([screen.ended, untilInterrupted(cli, client)]);
    if (!io.interrupted.aborted || outgoing.waiting > 0)
      await Promise.race([outgoing.settled(Math.max(30_000, cli.options.timeout)), rejectedWhenEnded(cli, client)]);
  } finally {
    screen.close();
  }
  return outgoing.failure ? exitCodeOf(outgoing.failure) : 0;
}

/** Rejects when the stream has ended for good; a second Ctrl-C ends the process anyway. */
async function rejectedWhenEnded(cli: Cli, client: ParleyClient): Promise<never> {
  const never = { ...cli, io: { ...cli.io, interrupted: new AbortController().signal } };
  await untilInterrupted(never, client);
  throw new Error('not reached');
}

/** What is shown of a conversation. */
interface Transcript {
  /** Loads the end of the conversation and shows the last `count` messages. */
  begin(count: number): Promise<void>;
  /** Shows what comes from now on. */
  follow(screen: Screen): void;
  failed(text: string, messageId: string, error: Error): void;
}

function createTranscript(cli: Cli, client: ParleyClient, person: Person): Transcript {
  const { print, io } = cli;
  const conversation = client.conversations.with(person.id);
  const presence = client.presence.of(person.id);
  const shown = new Set<string>();
  const name = oneLine(person.displayName);
  const started = io.now();
  let floor = '';
  let self: string | undefined;
  let screen: Pick<Screen, 'show'> = { show: text => void io.stdout.write(`${text}\n`) };
  let lastPresence = '';

  const show = (value: unknown, human: () => string) => screen.show(print.json ? safeJson(value) : human());
  const remark = (text: string) => print.style('dim', `-- ${text}`);

  function showMessage(message: ShownMessage): void {
    shown.add(message.id);
    const mine = message.senderId !== person.id;
    const { id, senderId, text, key, timeMs, importance } = message;
    show({ type: 'message', id, senderId, at: isoOf(timeMs), key, text, importance, mine }, () =>
      conversationLine(cli, { timeMs, name: mine ? 'You' : name, mine, text, high: importance === 'high' }),
    );
  }
  function showNew(): void {
    for (const message of conversation.getSnapshot().messages) {
      const durable = message.state === 'sent' || message.state === 'received';
      if (durable && message.key > floor && !shown.has(message.id)) showMessage(message);
    }
  }
  function showPresence(): void {
    const view = presence.getSnapshot();
    if (view.revision === 0n) return;
    const note = view.note ? ` "${oneLine(view.note)}"` : '';
    const text = availabilityText(view) + note;
    if (text === lastPresence) return;
    lastPresence = text;
    show({ type: 'presence', at: isoOf(io.now()), ...presenceJson(view) }, () => {
      return `${remark(`${name} is`)} ${paintAvailability(print, view)}${print.style('dim', note)}`;
    });
  }
  async function showElsewhere(senderId: string): Promise<void> {
    const other = await cli.people.nameOf(senderId);
    if (!print.json) screen.show(remark(`${oneLine(other)} wrote to you: parleyctl im history ${senderId}`));
  }

  return {
    async begin(count) {
      self = await client.signedInAs();
      // one message at least: what came before it is not new
      await client.loadHistory(person.id, { limit: Math.max(1, count), signal: io.interrupted });
      const { messages, lastKey } = conversation.getSnapshot();
      floor = lastKey;
      if (count > 0) for (const message of messages.slice(-count)) showMessage(message);
    },
    follow(next) {
      screen = next;
      conversation.subscribe(showNew);
      presence.subscribe(showPresence);
      client.onEvent(event => {
        const recent = Number(event.acceptedMs) >= started - 5_000;
        const elsewhere = event.senderId !== person.id && !event.recipientIds.includes(person.id);
        if (elsewhere && event.senderId !== self && recent && event.content) void showElsewhere(event.senderId);
      });
      showPresence();
      showNew();
    },
    failed(text, messageId, error) {
      const { code, message } = failureOf(error);
      if (error instanceof ParleyClientError || print.json)
        show({ type: 'failed', messageId, text, error: { code, message } }, () => {
          return `${print.style('red', '✗ not sent:')} ${oneLine(text)}\n  ${oneLine(message)} (${code})`;
        });
    },
  };
}
