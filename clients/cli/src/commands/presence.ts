import { MachineState, type MyPresence, type Person, type PresenceView } from '@parley/client';
import { Argument, Command } from 'commander';
import type { Cli } from '../cli.ts';
import { parseDuration } from '../duration.ts';
import { UsageError } from '../exit-codes.ts';
import {
  availabilityText,
  deviceName,
  paintAvailability,
  presenceJson,
  STATE_ALIASES,
  STATE_NAMES,
} from '../output/presence.ts';
import { personJson } from '../output/shapes.ts';
import { oneLine } from '../output/text.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { examples, type Shell } from '../shell.ts';
import { goOnline, tellConnection, untilInterrupted } from '../stream.ts';

/** `presence show|set|reset|note|watch`. */
export function presenceCommand(shell: Shell): Command {
  const states = [...Object.keys(STATE_NAMES), ...Object.keys(STATE_ALIASES)];
  const presence = new Command('presence').description('show, choose and watch presence');
  presence.addCommand(
    examples(
      new Command('show')
        .description('show the presence of people, or your own with your devices')
        .argument('[person...]', 'addresses or ids; nobody: yourself')
        .action(shell.action(show)),
      'presence show',
      'presence show tom.okafor@hospital.example ana.souza@hospital.example',
    ),
  );
  presence.addCommand(
    examples(
      new Command('set')
        .description('choose your state; it outranks your devices until it is reset or ends')
        .addArgument(new Argument('<state>', 'the state').choices(states))
        .option(
          '--for <duration>',
          'end after this time: 30m, 2h; busy and do-not-disturb end after 24h anyway',
          parseDuration,
        )
        .action(shell.action(set)),
      'presence set busy --for 2h',
      'presence set dnd',
    ),
  );
  presence.addCommand(new Command('reset').description('let your devices decide again').action(shell.action(reset)));
  presence.addCommand(
    examples(
      new Command('note')
        .description('set the note that others see, at most 500 characters; without text, remove it')
        .argument('[text...]', 'the note')
        .action(shell.action(note)),
      'presence note in theatre until noon',
      'presence note',
    ),
  );
  presence.addCommand(
    examples(
      new Command('watch')
        .description('print presence as it changes, until Ctrl-C')
        .argument('<person...>', 'addresses or ids')
        .action(shell.action(watch)),
      'presence watch tom.okafor@hospital.example',
      'presence watch --json tom.okafor@hospital.example | jq .state',
    ),
  );
  return presence;
}

async function show(cli: Cli, _: unknown, names: readonly string[]): Promise<void> {
  const { services } = cli.client();
  const { print } = cli;
  if (names.length === 0) {
    const { presence } = await services.presence.getMyPresence({}, { signal: cli.io.interrupted });
    return showMine(cli, presence);
  }
  const people = await cli.people.all(names);
  const { views } = await services.presence.getPresence(
    { personIds: people.map(p => p.id) },
    { signal: cli.io.interrupted },
  );
  const rows = people.flatMap((person, i) => {
    const view = views[i];
    return view ? [{ person, view }] : [];
  });
  print.result(
    rows.map(({ person, view }) => ({ person: personJson(person), ...presenceJson(view) })),
    () =>
      print.table(
        ['NAME', 'ADDRESS', 'STATE', 'DEVICE', 'NOTE'],
        rows.map(({ person, view }) => [
          person.displayName,
          person.primaryAddress,
          { text: availabilityText(view), paint: text => paintAvailability(print, view, text) },
          deviceName(view.device),
          view.note,
        ]),
      ),
  );
}

async function set(cli: Cli, options: { for?: number }, name: string): Promise<void> {
  const state = STATE_NAMES[STATE_ALIASES[name] ?? name];
  if (state === undefined) throw new UsageError(`"${name}" is no state`);
  if (options.for === 0) throw new UsageError('--for 0 ends at once', 'Use presence reset to end a state.');
  const end = options.for === undefined ? {} : { expiresMs: cli.io.now() + options.for };
  showMine(cli, await cli.client().setPresence(state, end));
}

async function reset(cli: Cli): Promise<void> {
  showMine(cli, await cli.client().setPresence(undefined));
}

async function note(cli: Cli, _: unknown, words: readonly string[]): Promise<void> {
  showMine(cli, await cli.client().setNote(words.join(' ')));
}

/** One's own presence, what it is made of, and until when. */
function showMine(cli: Cli, mine: MyPresence | undefined): void {
  const view = mine?.view;
  if (!mine || !view) throw new Error('the server answered without a presence');
  const { print, io } = cli;
  const chosen = Object.entries(STATE_NAMES).find(([, state]) => state === mine.preferred)?.[0];
  const until = isoOf(mine.preferredExpiresMs);
  const devices = mine.endpoints.map(e => ({
    id: e.endpointId,
    device: deviceName(e.device),
    state: MACHINE_STATES[e.machineState] ?? '',
    connectedAt: isoOf(e.connectedMs),
  }));
  const value = { ...presenceJson(view), ...(chosen && { chosen, ...(until && { chosenUntil: until }) }), devices };
  print.result(value, () => [
    `You are ${paintAvailability(print, view)}.`,
    ...(chosen
      ? [`  chosen   ${chosen}${until ? ` until ${timeOf(Number(mine.preferredExpiresMs), io.now())}` : ''}`]
      : []),
    ...(view.note ? [`  note     ${oneLine(view.note)}`] : []),
    ...(chosen && devices.length === 0 ? ['  Others see it once a device of yours is connected.'] : []),
    ...devices.map((d, i) => `  ${i === 0 ? 'devices' : '       '}  ${d.device}, ${d.state}`),
  ]);
}

const MACHINE_STATES: Readonly<Record<number, string>> = {
  [MachineState.ACTIVE]: 'active',
  [MachineState.INACTIVE]: 'inactive',
  [MachineState.AWAY]: 'away',
};

async function watch(cli: Cli, _: unknown, names: readonly string[]): Promise<void> {
  const client = cli.newClient({ endpointId: cli.profile.endpointId() });
  const people = await cli.people.all(names);
  for (const person of people) printChanges(cli, client.presence.of(person.id), person);
  tellConnection(cli, client);
  await client.watch(people.map(person => person.id));
  await goOnline(cli, client, MachineState.AWAY); // nobody is proven to sit here
  await untilInterrupted(cli, client);
}

function printChanges(
  { print, io }: Cli,
  store: { getSnapshot(): PresenceView; subscribe(listener: () => void): () => void },
  person: Person,
): void {
  let shown = '';
  store.subscribe(() => {
    const view = store.getSnapshot();
    if (view.revision === 0n) return; // the stream is down: told apart
    const note = view.note ? `  "${oneLine(view.note)}"` : '';
    const text = `${availabilityText(view)}${note}`;
    if (text === shown) return;
    shown = text;
    const at = io.now();
    print.event({ at: isoOf(at), ...presenceJson(view) }, () => {
      const name = oneLine(person.displayName);
      return `${print.style('dim', timeOf(at, at))} ${name} is ${paintAvailability(print, view)}${note}`;
    });
  });
}
