import type { LocateRecordResponse } from '@parley/contracts/archive/v1/archive';
import type { ExplainedEndpoint } from '@parley/contracts/presence/v1/presence';
import type { Cli } from '../cli.ts';
import { deviceName } from '../output/presence.ts';
import { isoOf, timeOf } from '../output/time.ts';
import { unless } from '../refused.ts';
import type { Governed } from './decision.ts';

/** Somebody a message was for; no `person` when he was deleted since. */
export interface Recipient {
  readonly id: string;
  readonly person: Governed | undefined;
}

/** Devices known of somebody; undefined when they are not shown to whoever asks. */
export async function devicesOf(
  cli: Cli,
  senderId: string,
  recipientId: string,
): Promise<readonly ExplainedEndpoint[] | undefined> {
  const { presence } = cli.client().services;
  const asked = { viewerId: senderId, targetId: recipientId };
  const told = await unless('rpc.permission_denied', presence.explainPresence(asked, { signal: cli.io.interrupted }));
  return told?.endpoints;
}

type Devices = readonly ExplainedEndpoint[] | undefined;
type Located = Pick<LocateRecordResponse, 'acceptedMs'> | undefined;

/**
 * How a device that is known now gets the message. It is not written down which device showed it: those connected then
 * had it pushed, and what a push loses comes with the next synchronisation.
 */
function wayTo({ connectedMs, lostMs }: ExplainedEndpoint, located: Located): Way {
  if (lostMs > 0n) return 'when-back';
  if (!located) return 'unknown';
  return connectedMs <= located.acceptedMs ? 'pushed' : 'synchronised';
}

type Way = 'pushed' | 'synchronised' | 'when-back' | 'unknown';

const WAYS: Readonly<Record<Way, string>> = {
  pushed: 'was there: pushed, else with its next synchronisation',
  synchronised: 'came later: with the synchronisation when it connected',
  'when-back': 'connection lost: when it is back',
  unknown: 'is there',
};

/** A recipient with his devices, as JSON. */
export function recipientJson({ id, person }: Recipient, devices: Devices, located: Located) {
  return {
    person: id,
    ...(person && { displayName: person.displayName }),
    ...(devices && {
      devices: devices.map(one => ({
        ...{ id: one.endpointId, device: deviceName(one.device), connectedAt: isoOf(one.connectedMs) },
        ...(one.lostMs > 0n && { lostAt: isoOf(one.lostMs) }),
        ...{ pod: one.pod, delivery: wayTo(one, located) },
      })),
    }),
  };
}

/** Recipients and their devices, as lines. */
export function recipientTable(
  cli: Cli,
  recipients: readonly Recipient[],
  devices: readonly Devices[],
  located: Located,
): readonly string[] {
  const at = (ms: bigint) => timeOf(Number(ms), cli.io.now());
  const rows = recipients.flatMap(({ id, person }, i) => {
    const name = person?.displayName ?? `${id} (deleted)`;
    const known = devices[i];
    if (!known) return [[name, '', '', '', 'devices are shown to administrators and the help desk']];
    if (known.length === 0) return [[name, 'none', '', '', 'when he signs in']];
    return known.map(one => [
      ...[name, one.endpointId, deviceName(one.device)],
      one.lostMs > 0n ? `lost ${at(one.lostMs)}` : `since ${at(one.connectedMs)}`,
      WAYS[wayTo(one, located)],
    ]);
  });
  return [
    'Recipients, and their devices now (which of them showed it is not recorded):',
    ...cli.print.table(['WHO', 'DEVICE', 'KIND', 'CONNECTED', 'DELIVERY'], rows),
  ];
}
