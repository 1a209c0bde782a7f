import type { ConnectionInternals, ConsumerGroupInternals, RequestQueueInternals } from './kafkajs-internals.ts';

/** A class of the library. */
export interface Prototyped<T> {
  readonly prototype: T;
}

/** Mends what kafkajs 2.2.4 does wrong. Throws when the classes are not the ones that were examined. */
export function mend(library: {
  readonly RequestQueue: Prototyped<RequestQueueInternals>;
  readonly Connection: Prototyped<ConnectionInternals>;
  readonly ConsumerGroup: Prototyped<ConsumerGroupInternals>;
}): void {
  neutraliseIdleTimer(library.RequestQueue.prototype);
  lookSeldom(library.RequestQueue.prototype);
  connectOnce(library.Connection.prototype);
  letGoOfSockets(library.Connection.prototype);
  tellInTime(library.ConsumerGroup.prototype);
}

/**
 * Every answer makes the library schedule a look at requests that wait, even when none does; with a time that lies in
 * the past, so that the timer fires every millisecond for ever. A look is needed only when something waits.
 */
function neutraliseIdleTimer(queue: RequestQueueInternals): void {
  const schedule = queue.scheduleCheckPendingRequests;
  if (typeof schedule !== 'function') throw new Error('this version of kafkajs is not the one that was examined');
  queue.scheduleCheckPendingRequests = function (this: RequestQueueInternals) {
    if (this.pending.length > 0) schedule.call(this);
  };
}

/** Requests that may take ten seconds are looked at ten times a second, on every connection, and by an idle process. */
function lookSeldom(queue: RequestQueueInternals): void {
  if (typeof queue.scheduleRequestTimeoutCheck !== 'function')
    throw new Error('this version of kafkajs is not the one that was examined');
  queue.scheduleRequestTimeoutCheck = function (this: RequestQueueInternals) {
    this.destroy();
    const look = () => {
      const now = Date.now();
      for (const request of this.inflight.values())
        if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
      if (!this.isConnected()) this.destroy();
    };
    this.requestTimeoutIntervalId = setInterval(look, Math.min(1_000, Math.max(100, this.requestTimeout / 10)));
  };
}

/**
 * A member tells that it lives by the machine's clock: once that was set back, it said nothing until the old time was
 * reached again, and heard nothing of others who wanted to join.
 */
function tellInTime(group: ConsumerGroupInternals): void {
  const { heartbeat } = group;
  if (typeof heartbeat !== 'function') throw new Error('this version of kafkajs is not the one that was examined');
  group.heartbeat = function (this: ConsumerGroupInternals, options) {
    if (this.lastRequest > Date.now()) this.lastRequest = 0;
    return heartbeat.call(this, options);
  };
}

/** Two who need a connection at once made it twice: one socket stayed open for ever, and both were read as one. */
function connectOnce(connection: ConnectionInternals): void {
  const { connect } = connection;
  if (typeof connect !== 'function') throw new Error('this version of kafkajs is not the one that was examined');
  const connecting = new WeakMap<ConnectionInternals, Promise<unknown>>();
  connection.connect = function (this: ConnectionInternals) {
    const under = connecting.get(this);
    if (under !== undefined) return under;
    const started = connect.call(this).finally(() => connecting.delete(this));
    connecting.set(this, started);
    return started;
  };
}

/** While a broker was away, every attempt ended the socket of the one before again, and left another listener on it. */
function letGoOfSockets(connection: ConnectionInternals): void {
  const { disconnect } = connection;
  if (typeof disconnect !== 'function') throw new Error('this version of kafkajs is not the one that was examined');
  connection.disconnect = async function (this: ConnectionInternals) {
    const { socket } = this;
    const result = await disconnect.call(this);
    if (this.socket === socket) this.socket = undefined;
    return result;
  };
}
