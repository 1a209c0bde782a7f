export type { BusFaults } from './adapters/memory/faults.ts';
export * from './adapters/memory/memory-bus.ts';
export { connectNatsBus } from './adapters/nats/nats-bus.ts';
export { type Nkey, nkeyOf } from './adapters/nats/nkeys.ts';
export type { NatsBusOptions, NatsCredentials } from './adapters/nats/options.ts';
export * from './bus.ts';
export { MAX_MESSAGE_BYTES } from './message.ts';
export * from './subjects.ts';
