import { Command } from 'commander';
import { type Decision, deciderInWords, decisionOf, type Governed, modeInWords } from '../archive/decision.ts';
import { effectiveOf, governed, governedJson, policyTable, switchesOf } from '../archive/governed.ts';
import type { Cli } from '../cli.ts';
import { oneLine } from '../output/text.ts';
import { examples, type Shell } from '../shell.ts';
import { explainPresence } from './explain-presence.ts';

/** `explain archiving` and `explain presence`. */
export function explainCommand(shell: Shell): Command {
  const explain = new Command('explain').description('say why something is as it is');
  explain.addCommand(
    examples(
      new Command('archiving')
        .description('say whether messages from one person to another are archived, and whose policy decides')
        .argument('<from>', 'who writes, address or id')
        .argument('<to>', 'whom to, address or id')
        .action(shell.action(explainArchiving)),
      'explain archiving mei.lin@hospital.example tom.okafor@hospital.example',
    ),
  );
  explain.addCommand(
    examples(
      new Command('presence')
        .description(
          'say how one person sees another, which entry of his access list and which of his devices decide, but not what his note says; who asks about whom is logged',
        )
        .argument('<viewer>', 'who looks, address or id')
        .argument('<target>', 'at whom, address or id')
        .action(shell.action(explainPresence)),
      'explain presence mei.lin@hospital.example tom.okafor@hospital.example',
      'explain presence mei.lin@hospital.example tom.okafor@hospital.example --json',
    ),
  );
  return explain;
}

async function explainArchiving(cli: Cli, _: object, from: string, to: string): Promise<void> {
  const [sender, recipient, everybody] = await Promise.all([
    governed(cli, from),
    governed(cli, to),
    effectiveOf(cli, ''),
  ]);
  const decision = decisionOf([sender, recipient]);
  const global = { scope: 'global', ...switchesOf(everybody) };
  const value = { ...decision, people: [sender, recipient].map(governedJson), global };
  cli.print.result(value, () => [
    `Messages from ${oneLine(sender.displayName)} to ${oneLine(recipient.displayName)} ${inWords(decision, [sender, recipient])}`,
    '',
    ...policyTable(cli, [sender, recipient], everybody),
  ]);
}

function inWords(decision: Decision, people: readonly Governed[]): string {
  if (!decision.archived) return 'are not archived: no policy of the two says so.';
  const nameOf = (id: string) => people.find(person => person.id === id)?.displayName ?? id;
  const decider = oneLine(deciderInWords(decision.decidedBy, nameOf));
  return `are archived, ${modeInWords(decision.critical)}. Decided by ${decider}.`;
}
