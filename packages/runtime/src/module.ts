/**
 * Something with a life cycle: a service, an adapter, a listener. A module is a value: constructors do nothing but
 * remember, `start` does the work and rejects when it cannot, `stop` may be called at any time and more than once.
 */
export interface Module {
  /** Unique name, used in logs and to say what depends on what. */
  readonly name: string;
  /** Acquires what it needs; afterwards the module works. */
  start(): Promise<void>;
  /** Finishes what is under way and releases everything. */
  stop(): Promise<void>;
}
