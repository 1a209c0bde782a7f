import { lostPods } from '../domain/endpoints.ts';
import { type Explanation, explain } from '../domain/explain.ts';
import { newPerson, type PersonDoc } from '../domain/person.ts';
import { storedView, unseen } from '../domain/views.ts';
import { err } from '../errors.ts';
import { timePassed } from './change.ts';
import type { Core } from './core.ts';
import { refuseDisabled } from './refuse-disabled.ts';

export interface Explained extends Explanation {
  readonly doc: PersonDoc;
  /** Whether the view was given out as it is told here. */
  readonly published: boolean;
}

export interface ExplainCommand {
  /** Who asks. */
  readonly by: string;
  /** One of these he must hold now, whatever his token says. */
  readonly roles: readonly number[];
  readonly viewerId: string;
  readonly targetId: string;
}

/** What `viewerId` sees of `targetId` and why, from the store. Changes nothing: what time made is left to the sweep. */
export async function explainPresence(core: Core, command: ExplainCommand): Promise<Explained> {
  const { by, roles, viewerId, targetId } = command;
  await refuseDisabled(core, by);
  if (!(await core.watchers.holds(by, roles))) throw err('presence.role_lost');
  const [watcher, read = newPerson(targetId)] = await Promise.all([
    core.watchers.find(viewerId),
    core.people.get(targetId),
  ]);
  const lost = lostPods(read);
  const live = lost.length > 0 ? await core.liveLeases.among(lost) : NONE;
  const now = core.time.now();
  const doc = timePassed(core, read, live, now);
  const explanation = explain(doc, watcher, now, core.policy);
  core.events.explained(by, viewerId, targetId);
  const stored = storedView(read, explanation.level) ?? unseen(targetId, core.codec);
  const published = core.codec.isStamped(stored.bytes, core.codec.encode(explanation.view), stored.rev);
  return { ...explanation, doc, published };
}

const NONE: ReadonlySet<string> = new Set();
