import { SCENARIOS } from './scenarios/index.ts';
import { onPool } from './topologies.ts';

onPool(SCENARIOS.people);
