export type { BusFaults } from './adapters/memory/faults.ts';
export * from './adapters/memory/memory-bus.ts';
export * from './bus.ts';
export { MAX_MESSAGE_BYTES } from './message.ts';
export * from './subjects.ts';
