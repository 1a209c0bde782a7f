import type { Person } from '@parley/client';
import { ParleyClientError } from '@parley/client';
import type { Group } from '@parley/contracts/directory/v1/group';
import { isProblem, type Problem } from '@parley/people-file';
import { Command } from 'commander';
import { forEach, type Task } from '../bulk.ts';
import type { Cli } from '../cli.ts';
import { parseCount } from '../duration.ts';
import { fileFailure } from '../input-file.ts';
import { personJson } from '../output/shapes.ts';
import { oneLine } from '../output/text.ts';
import { retrying } from '../retry.ts';
import { examples, type Shell } from '../shell.ts';
import { type ManyOptions, manyOptions, people, would } from './users/accounts.ts';

const GROUP = ['<group>', 'name or id'] as const;
const DRY_RUN = ['-n, --dry-run', 'say what would be done, and do nothing'] as const;

/** `groups list|show|put|delete|add|remove`. */
export function groupsCommand(shell: Shell): Command {
  const groups = new Command('groups').description('find and administer groups of people');
  for (const command of [
    new Command('list')
      .description('list groups in order of name')
      .argument('[word...]', 'only groups whose names begin with every word')
      .option('--member <person>', 'only groups this person is in')
      .option('--limit <count>', 'the first so many; default: all', parseCount(1, 1_000_000))
      .action(shell.action(list)),
    new Command('show')
      .description('show a group and who is in it')
      .argument(...GROUP)
      .action(shell.action(show)),
    examples(
      new Command('put')
        .description('make a group, or change name or description of one')
        .argument('<name>', 'name in any script; case and width make no difference')
        .option('--description <text>', 'what it is for')
        .option('--new-name <name>', 'another name from now on')
        .option(...DRY_RUN)
        .action(shell.action(put)),
      'groups put "Ward 3" --description "Everybody on ward 3"',
    ),
    new Command('delete')
      .description('remove a group; its members stay')
      .argument(...GROUP)
      .option(...DRY_RUN)
      .action(shell.action(remove)),
    examples(
      manyOptions(
        new Command('add')
          .description('put people into a group')
          .argument(...GROUP)
          .argument('[person...]', 'address or id'),
        'a list of people, one a line',
      ).action(shell.action(change('add'))),
      'groups add "Ward 3" mei.lin@hospital.example tom.okafor@hospital.example',
      'groups add "Ward 3" --file ward-3.txt',
    ),
    manyOptions(
      new Command('remove')
        .description('take people out of a group')
        .argument(...GROUP)
        .argument('[person...]', 'address or id'),
      'a list of people, one a line',
    ).action(shell.action(change('remove'))),
  ])
    groups.addCommand(command);
  return groups;
}

const groupJson = ({ id, name, description, memberCount }: Group) => ({
  id,
  name,
  ...(description && { description }),
  memberCount,
});

async function list(cli: Cli, options: { member?: string; limit?: number }, words: readonly string[]): Promise<void> {
  const memberId = options.member === undefined ? '' : (await cli.people.one(options.member)).id;
  const wanted = options.limit ?? Number.POSITIVE_INFINITY;
  const groups: Group[] = [];
  for (let cursor = '', more = true; more && groups.length < wanted; more = cursor !== '') {
    const limit = Math.min(200, wanted - groups.length);
    const request = { query: words.join(' '), memberId, limit, cursor };
    const page = await cli.client().services.directory.listGroups(request, { signal: cli.io.interrupted });
    groups.push(...page.groups);
    cursor = page.nextCursor;
  }
  cli.print.result(groups.map(groupJson), () =>
    groups.length === 0
      ? ['No groups.']
      : cli.print.table(
          ['NAME', 'MEMBERS', 'DESCRIPTION'],
          groups.map(group => [group.name, String(group.memberCount), group.description]),
        ),
  );
}

async function show(cli: Cli, _: unknown, reference: string): Promise<void> {
  const members: Person[] = [];
  let group: Group | undefined;
  for (let cursor = '', more = true; more; more = cursor !== '') {
    const request = { group: reference, limit: 200, cursor };
    const page = await cli.client().services.directory.listGroupMembers(request, { signal: cli.io.interrupted });
    group ??= page.group;
    members.push(...page.members);
    cursor = page.nextCursor;
    cli.print.progress(`${members.length} members`);
  }
  const found = present(group);
  cli.print.result({ ...groupJson(found), members: members.map(personJson) }, () => [
    ...groupLines(found),
    '',
    ...(members.length === 0
      ? ['Nobody is in it.']
      : cli.print.table(
          ['NAME', 'ADDRESS', 'DEPARTMENT', 'TITLE'],
          members.map(p => [p.displayName, p.primaryAddress, p.department, p.title]),
        )),
  ]);
}

interface PutOptions {
  readonly description?: string;
  readonly newName?: string;
  readonly dryRun?: boolean;
}

async function put(cli: Cli, options: PutOptions, name: string): Promise<void> {
  const { description, newName = '', dryRun = false } = options;
  const request = { name, ...(description !== undefined && { description }), newName, dryRun };
  const group = present((await retrying(cli, () => cli.client().services.directoryAdmin.putGroup(request))).group);
  cli.print.result({ ...groupJson(group), dryRun }, () => groupLines(group));
  if (dryRun) cli.print.note('Nothing was changed (--dry-run).');
}

async function remove(cli: Cli, { dryRun = false }: { dryRun?: boolean }, group: string): Promise<void> {
  await cli.client().services.directoryAdmin.deleteGroup({ group, dryRun });
  cli.print.result({ deleted: !dryRun, dryRun }, () => [
    dryRun ? 'It would be deleted; nothing was changed (--dry-run).' : 'Deleted. Its members stay.',
  ]);
}

/** Members of a call at most. */
const AT_ONCE = 1_000;

function change(kind: 'add' | 'remove') {
  return async (cli: Cli, options: ManyOptions, reference: string, names: readonly string[]): Promise<number> => {
    const { dryRun = false } = options;
    const tasks = await people(cli, options, names);
    const { directory, directoryAdmin } = cli.client().services;
    // a group that is not there is a slip of the pen: only `put` makes one
    const group = present((await directory.listGroupMembers({ group: reference, limit: 1 })).group);
    const outcome = would(dryRun, kind === 'add' ? 'added' : 'removed');
    const field = kind === 'add' ? 'addMembers' : 'removeMembers';
    const call = (members: readonly string[]) =>
      retrying(cli, () => directoryAdmin.putGroup({ name: group.name, [field]: [...members], dryRun }));

    /** All in one call; those that it names as the reason of a refusal are left out of the next. */
    async function many(batch: readonly (Task | Problem)[]): Promise<Map<Task, ParleyClientError>> {
      const refused = new Map<Task, ParleyClientError>();
      let left = batch.filter((task): task is Task => !isProblem(task));
      while (left.length > 0) {
        try {
          await call(left.map(task => task.person));
          return refused;
        } catch (error) {
          const at = error instanceof ParleyClientError ? /_members\[(\d+)\]/.exec(error.field ?? '')?.[1] : undefined;
          const culprit = at === undefined ? undefined : left[Number(at)];
          if (!culprit) throw error;
          refused.set(culprit, error as ParleyClientError);
          left = left.filter(task => task !== culprit);
        }
      }
      return refused;
    }
    async function* settled(): AsyncGenerator<(Task & { readonly refusal?: ParleyClientError | undefined }) | Problem> {
      let batch: (Task | Problem)[] = [];
      const flush = async function* () {
        const refused = await many(batch);
        for (const task of batch) yield isProblem(task) ? task : { ...task, refusal: refused.get(task) };
        batch = [];
      };
      for await (const task of tasks) {
        batch.push(task);
        if (batch.length >= AT_ONCE) yield* flush();
      }
      yield* flush();
    }
    return forEach(cli, settled(), async ({ refusal }) => {
      if (refusal) throw refusal;
      return { outcome };
    }).catch(error => {
      throw fileFailure(options.file ?? '', error);
    });
  };
}

function present(group: Group | undefined): Group {
  if (!group) throw new Error('the server answered without a group');
  return group;
}

const groupLines = (group: Group): string[] => [
  oneLine(group.name),
  `  id           ${group.id}`,
  ...(group.description ? [`  description  ${oneLine(group.description)}`] : []),
  `  members      ${group.memberCount}`,
];
