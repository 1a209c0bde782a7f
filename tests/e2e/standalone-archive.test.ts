import { SCENARIOS } from './scenarios/index.ts';
import { onStandalone } from './topologies.ts';

onStandalone(SCENARIOS.archive);
