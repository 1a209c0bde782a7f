/** What every foreign client must manage: sign in, follow the stream, send, be refused, be late, give up. */

import { AuthService } from '@parley/contracts/directory/v1/auth';
import { ImEventKind, ImService } from '@parley/contracts/im/v1/im';
import { SessionService } from '@parley/contracts/session/v1/session';
import type { ForeignClient, Refusal } from './foreign-clients.ts';

/** Who makes the journey. */
export interface Traveller {
  readonly address: string;
  readonly password: string;
  /** Whom he writes to. */
  readonly recipientId: string;
}

/** What came of it; the caller judges. */
export interface Journey {
  readonly displayName: string;
  readonly wrongPassword: Told;
  readonly noToken: Told;
  readonly tooLong: Told;
  readonly unknownPerson: Told;
  readonly late: Told;
  /** How the stream ended: given up (0), or at its deadline. */
  readonly ended: Told;
  /** Events in the order in which the stream brought them. */
  readonly events: readonly string[];
  /** The longest time between the answer to a message and its arrival on the stream, milliseconds. */
  readonly slowestMs: number;
}

/** A refusal without what a page cannot hand over. */
export interface Told {
  readonly status: number;
  readonly message: string;
  readonly code: string | undefined;
  readonly field: string | undefined;
}

/** Texts of the messages: nothing, scripts, emoji, and sizes that leave every remainder of base64. */
export const texts = ['a', 'ab', 'abc', '早安，世界 👋🏽', `long ${'x'.repeat(7000)}`, 'after'];

/** Makes the journey with one client; `sessions` resolves when the server has so many sessions. */
export async function travel(
  client: ForeignClient,
  who: Traveller,
  sessions: (n: number) => Promise<void>,
): Promise<Journey> {
  const told = async (call: Promise<unknown>): Promise<Told> => {
    let refusal: Refusal;
    try {
      await call;
      return { status: 0, message: '', code: undefined, field: undefined };
    } catch (error) {
      refusal = client.refusal(error);
    }
    const { status, message, info } = refusal;
    return { status, message, code: info?.code, field: info?.field };
  };

  const { signIn } = AuthService.method;
  const { sendMessage } = ImService.method;
  const { connect } = SessionService.method;
  const { address, password, recipientId } = who;
  const wrongPassword = await told(client.unary(signIn, { address, password: 'not it' }));
  const signedIn = await client.unary(signIn, { address, password, deviceLabel: client.name });
  const token = signedIn.tokens?.accessToken ?? '';
  const message = (text: string) => ({ messageId: crypto.randomUUID(), recipientId, content: { text } });

  const noToken = await told(client.unary(sendMessage, message('x')));
  const tooLong = await told(client.unary(sendMessage, message('x'.repeat(20_000)), { token }));
  const unknownPerson = await told(client.unary(sendMessage, { ...message('x'), recipientId: 'nobody' }, { token }));
  const endpoint = () => ({ endpointId: crypto.randomUUID(), clientVersion: 'foreign/1.0.0' });
  const late = await told(client.stream(connect, endpoint(), { token, timeoutMs: 300 }, () => {}));

  await sessions(0);

  const events: string[] = [];
  let arrived: (() => void) | undefined;
  let slowestMs = 0;
  let giveUp: (() => void) | undefined;
  // Who sees nothing before the end cannot give up on what he has seen: the deadline ends his stream.
  const patience = client.streams ? {} : { timeoutMs: 4000 };
  const stream = client.stream(connect, endpoint(), { token, ...patience }, ({ event }, cancel) => {
    giveUp = cancel;
    if (event.case === 'connected') events.push('connected');
    if (event.case !== 'im' || event.value.kind !== ImEventKind.MESSAGE) return;
    events.push(event.value.content?.text ?? '');
    arrived?.();
  });
  await sessions(1);
  for (const text of texts) {
    const arrival = new Promise<void>(resolve => {
      arrived = resolve;
    });
    await client.unary(sendMessage, message(text), { token });
    const sentAt = performance.now();
    if (client.streams) await arrival;
    slowestMs = Math.max(slowestMs, performance.now() - sentAt);
  }
  giveUp?.();
  const ended = await told(stream);
  return {
    displayName: signedIn.person?.displayName ?? '',
    wrongPassword,
    noToken,
    tooLong,
    unknownPerson,
    late,
    ended,
    events,
    slowestMs,
  };
}
