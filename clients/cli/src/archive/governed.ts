import type { Cli } from '../cli.ts';
import { type Governed, SCOPES } from './decision.ts';

/** Somebody and the archiving policy that applies to him now. */
export async function governed(cli: Cli, idOrAddress: string): Promise<Governed> {
  const { id, displayName, site } = await cli.people.one(idOrAddress);
  return { id, displayName, site, effective: await effectiveOf(cli, id) };
}

/** The policy that applies to a person, or with an empty id to everybody without one of his own. */
export async function effectiveOf(cli: Cli, person: string): Promise<Governed['effective']> {
  const { policies } = cli.client().services;
  const { effective } = await policies.getEffectiveArchivingPolicy({ person }, { signal: cli.io.interrupted });
  if (!effective?.policy) throw new Error('the server answered without a policy');
  return effective;
}

/** What a policy says. */
export const switchesOf = ({ policy }: Governed['effective']) => ({
  archiveInternal: policy?.archiveInternal === true,
  archiveExternal: policy?.archiveExternal === true,
  critical: policy?.critical === true,
});

/** Somebody and his policy, for machines. */
export const governedJson = ({ id, displayName, site, effective }: Governed) => ({
  ...{ person: id, displayName, site, scope: SCOPES[effective.scope] ?? 'unknown' },
  ...switchesOf(effective),
});

/** The same for people, with what applies to everybody else. */
export function policyTable(
  cli: Cli,
  people: readonly Governed[],
  everybody: Governed['effective'],
): readonly string[] {
  const row = (name: string, effective: Governed['effective'], from: string) => {
    const { archiveInternal, archiveExternal, critical } = switchesOf(effective);
    return [name, ...[archiveInternal, archiveExternal, critical].map(on => (on ? 'on' : 'off')), from];
  };
  return cli.print.table(
    ['WHO', 'INTERNAL', 'EXTERNAL', 'CRITICAL', 'FROM'],
    [
      ...people.map(({ displayName, site, effective }) => {
        const scope = SCOPES[effective.scope] ?? 'unknown';
        return row(displayName, effective, `the ${scope} policy${scope === 'site' ? ` (${site})` : ''}`);
      }),
      row('everybody else', everybody, 'the global policy'),
    ],
  );
}
