import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { type Client, connectivityState } from '@grpc/grpc-js';
import type { Clock, Timer } from '@parley/runtime';
import type { ChannelEvents } from './channel-events.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { rpcErrors } from './rpc-errors.ts';

/** One address of a service. */
export interface Replica {
  /** `127.0.0.1:7390` */
  readonly address: string;
  readonly client: Client;
  readonly breaker: CircuitBreaker;
  inFlight: number;
  /** Its name does not resolve to it any longer; closed with its last call. */
  leaving: boolean;
}

/** What {@link Replicas} needs. Times in milliseconds. */
export interface ReplicasOptions {
  /** `host:port`, each. */
  readonly targets: readonly string[];
  readonly clock: Clock;
  readonly events: ChannelEvents;
  /** A client of one address; `host` is the name it was found by. */
  readonly connect: (address: string, host: string) => Client;
  /** How often names are looked up again. */
  readonly resolveMs: number;
  /** Calls at once with one replica. */
  readonly maxInFlight: number;
  readonly circuit: { readonly failures?: number; readonly openMs?: number };
  /** Addresses of a name; default: as the operating system resolves it. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const osResolve = async (host: string) => (await lookup(host, { all: true })).map(found => found.address);

/**
 * The replicas of a service and which of them gets the next call: among those that are connected, answer and are not
 * busy, in turn, one with as few calls under way as any. Names are looked up again and again, so new replicas get
 * calls and those that are gone get none.
 */
export class Replicas {
  readonly #o: ReplicasOptions;
  readonly #known = new Map<string, Replica>();
  #list: readonly Replica[] = [];
  readonly #named: boolean;
  #next = 0;
  #resolvedAt = Number.NEGATIVE_INFINITY;
  #resolving: Promise<void> | undefined = undefined;
  #timer: Timer | undefined = undefined;
  #closed = false;

  constructor(options: ReplicasOptions) {
    this.#o = options;
    if (options.targets.length === 0) throw new Error('a channel needs an address');
    const names = options.targets.filter(target => isIP(splitAddress(target).host) === 0);
    for (const target of options.targets) if (!names.includes(target)) this.#add(target, splitAddress(target).host);
    this.#changed(this.#list.length);
    this.#named = names.length > 0;
    if (this.#named) void this.refresh();
  }

  get list(): readonly Replica[] {
    return this.#list;
  }

  /** Resolves when names were looked up for the first time; undefined when that is done. */
  get found(): Promise<void> | undefined {
    return this.#list.length === 0 ? this.#resolving : undefined;
  }

  /**
   * The replica for the next call, rather not `avoid`. Throws `rpc.unavailable` when there is none, `rpc.circuit_open`
   * when none answers, and `rpc.busy` when all that answer have enough to do.
   */
  pick(avoid?: Replica): Replica {
    const best = this.#best(avoid);
    if (best) return best;
    const list = this.#list;
    if (list.length === 0) throw rpcErrors('rpc.unavailable', { cause: new Error('no address is known') });
    const waitMs = Math.min(...list.map(({ breaker }) => breaker.waitMs));
    if (waitMs === 0) {
      this.#o.events.refused('busy');
      throw rpcErrors('rpc.busy', { retryAfterMs: 1000 });
    }
    this.#o.events.refused('circuit_open');
    throw rpcErrors('rpc.circuit_open', { retryAfterMs: Math.ceil(waitMs) });
  }

  /**
   * A replica other than `one` for a call that waits there, if one can be reached: rather one that answers, else one that
   * did not of late and may by now.
   */
  another(one: Replica): Replica | undefined {
    const others = (replica: Replica) => replica !== one && !isGone(replica);
    return (
      this.#best(undefined, others) ??
      this.#list.find(replica => others(replica) && replica.breaker.open && !replica.breaker.trying)
    );
  }

  #best(avoid: Replica | undefined, suits?: (replica: Replica) => boolean): Replica | undefined {
    const list = this.#list;
    let best: Replica | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    const start = this.#next++;
    for (let i = 0; i < list.length; i++) {
      const replica = list[(start + i) % list.length] as Replica;
      if (replica.breaker.waitMs > 0 || replica.inFlight >= this.#o.maxInFlight) continue;
      if (suits && !suits(replica)) continue;
      const rank = (list.length === 1 ? 0 : rankOf(replica)) + (replica === avoid ? 1 : 0);
      if (rank < bestRank || (rank === bestRank && replica.inFlight < (best as Replica).inFlight)) {
        best = replica;
        bestRank = rank;
      }
    }
    return best;
  }

  /** Somebody could not be reached: his name may lead elsewhere by now. */
  suspect(): void {
    const { clock, resolveMs } = this.#o;
    if (this.#named && clock.monotonic() - this.#resolvedAt > Math.min(1000, resolveMs)) void this.refresh();
  }

  /** Looks names up now. */
  refresh(): Promise<void> {
    this.#resolving ??= this.#resolve().finally(() => {
      this.#resolving = undefined;
    });
    return this.#resolving;
  }

  /** A call with the replica has ended. */
  left(replica: Replica): void {
    replica.inFlight--;
    if (replica.leaving && replica.inFlight === 0) replica.client.close();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    const was = this.#list.length;
    for (const replica of this.#known.values()) replica.client.close();
    this.#known.clear();
    this.#list = [];
    if (was > 0) this.#o.events.addresses(0, -was);
  }

  async #resolve(): Promise<void> {
    const { targets, resolve = osResolve, clock, resolveMs } = this.#o;
    const wanted = new Map<string, string>();
    const unknown = new Set<string>();
    await Promise.all(
      targets.map(async target => {
        const { host, port } = splitAddress(target);
        if (isIP(host) !== 0) return void wanted.set(target, host);
        try {
          for (const ip of await resolve(host)) wanted.set(joinAddress(ip, port), host);
        } catch {
          // A name server that does not answer takes nobody away.
          unknown.add(host);
        }
      }),
    );
    if (this.#closed) return;
    this.#resolvedAt = clock.monotonic();
    const before = this.#list.length;
    for (const [address, host] of wanted) if (!this.#known.has(address)) this.#add(address, host);
    if (unknown.size === 0) {
      for (const replica of [...this.#known.values()]) if (!wanted.has(replica.address)) this.#remove(replica);
    }
    this.#changed(this.#list.length - before);
    this.#timer?.cancel();
    this.#timer = clock.timer(resolveMs, () => void this.refresh());
  }

  #add(address: string, host: string): void {
    const { clock, events, circuit, connect } = this.#o;
    const client = connect(address, host);
    client.getChannel().getConnectivityState(true);
    // Once it leaves, nobody counts its circuit any longer.
    const onChange = (open: boolean) => {
      if (!replica.leaving) events.circuit(open, address);
    };
    const breaker = new CircuitBreaker({ ...circuit, clock, onChange });
    const replica: Replica = { address, client, breaker, inFlight: 0, leaving: false };
    this.#known.set(address, replica);
    this.#list = [...this.#known.values()];
  }

  #remove(replica: Replica): void {
    this.#known.delete(replica.address);
    this.#list = [...this.#known.values()];
    replica.leaving = true;
    if (replica.breaker.open) this.#o.events.circuit(false, replica.address);
    if (replica.inFlight === 0) replica.client.close();
  }

  #changed(by: number): void {
    if (by !== 0) this.#o.events.addresses(this.#list.length, by);
  }
}

/** Connected ones first, then those that may become so. */
function rankOf({ client }: Replica): number {
  switch (client.getChannel().getConnectivityState(true)) {
    case connectivityState.READY:
      return 0;
    case connectivityState.TRANSIENT_FAILURE:
      return 4;
    default:
      return 2;
  }
}

/** Whether connections to it fail. */
const isGone = ({ client }: Replica) =>
  client.getChannel().getConnectivityState(true) === connectivityState.TRANSIENT_FAILURE;

function splitAddress(target: string): { host: string; port: string } {
  const colon = target.lastIndexOf(':');
  return { host: target.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: target.slice(colon + 1) };
}

function joinAddress(ip: string, port: string): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}
