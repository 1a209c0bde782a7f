import type { Scenario } from '../scenario.ts';
import { awayAndBack } from './away-and-back.ts';
import { comeAndGo } from './come-and-go.ts';
import { complianceDesk } from './compliance-desk.ts';
import { critical } from './critical.ts';
import { imports } from './import.ts';
import { kill } from './kill.ts';
import { native } from './native.ts';
import { poison } from './poison.ts';
import { presenceOverTime } from './presence-over-time.ts';
import { probe } from './probe.ts';
import { refusals } from './refusals.ts';
import { replay } from './replay.ts';
import { retry } from './retry.ts';
import { rotateKeys } from './rotate-keys.ts';
import { signIns } from './sign-ins.ts';
import { talk } from './talk.ts';
import { tamper, unasked } from './tamper.ts';
import { tls } from './tls.ts';
import { trace } from './trace.ts';
import { wire } from './wire.ts';

/** Every scenario, run in both topologies: two lists that take about as long, so that they can run side by side. */
export const SCENARIOS = {
  people: [
    talk,
    awayAndBack,
    retry,
    critical,
    presenceOverTime,
    signIns,
    comeAndGo,
    imports,
    refusals,
    wire,
    native,
    probe,
    tls,
    kill,
  ],
  archive: [complianceDesk, trace, rotateKeys, poison, replay, tamper, unasked],
} satisfies Record<string, readonly Scenario[]>;
