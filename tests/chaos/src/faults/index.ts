import type { Fault } from './fault.ts';
import { PROCESS_FAULTS } from './processes.ts';
import { SERVER_FAULTS } from './servers.ts';
import { storm } from './storm.ts';

/** Everything that can go wrong. */
export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...SERVER_FAULTS, storm];
