import { type DescMessage, fromBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { type SessionEvent, SessionEventSchema } from '@parley/contracts/session/v1/session';
import type { StreamSink } from '@parley/rpc';

/** A stream whose reader is as fast, or as slow, as the test says. */
export class FakeStream implements StreamSink {
  readonly frames: Uint8Array[] = [];
  /** False: nothing is taken, bytes pile up. */
  reading = true;
  queuedBytes = 0;
  readonly #listeners: (() => void)[] = [];

  send(_message: MessageInitShape<DescMessage>): void {
    throw new Error('only encoded events are expected');
  }

  sendEncoded(bytes: Uint8Array): void {
    this.frames.push(bytes);
    if (!this.reading) this.queuedBytes += bytes.length;
  }

  onDrain(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Takes what is waiting; `andStop` leaves the reader slow again. */
  drain(andStop = false): void {
    this.reading = !andStop;
    this.queuedBytes = 0;
    for (const listener of this.#listeners) listener();
  }

  get events(): SessionEvent['event'][] {
    return this.frames.map(frame => fromBinary(SessionEventSchema, frame).event);
  }

  /** Names of the events so far. */
  get kinds(): string[] {
    return this.events.map(event => event.case ?? 'unknown');
  }

  /** Values of all events of one kind. */
  all<K extends NonNullable<SessionEvent['event']['case']>>(kind: K) {
    return this.events.filter(e => e.case === kind).map(e => e.value) as Extract<
      SessionEvent['event'],
      { case: K }
    >['value'][];
  }

  /** Presence as `person availability level`, in the order it came. */
  get presence(): string[] {
    return this.all('presence').map(v => `${v.personId} ${v.availability} ${v.activity}`);
  }

  /** Forgets what came so far. */
  clear(): void {
    this.frames.length = 0;
  }
}
