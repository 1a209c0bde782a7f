import type { Fault } from './fault.ts';
import { PROCESS_FAULTS } from './processes.ts';
import { serverFaults } from './servers.ts';
import { storm } from './storm.ts';

/** Everything that can go wrong; outages last `scale` times their full length, as their names say. */
export const faultsAt = (scale: number): readonly Fault[] => [...PROCESS_FAULTS, ...serverFaults(scale), storm];
