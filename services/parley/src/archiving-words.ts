/** The policy that applies to everybody. */
export interface GlobalArchiving {
  readonly archiveInternal: boolean;
  readonly archiveExternal: boolean;
  readonly critical: boolean;
}

/** Who is archived and who is not, in a sentence. */
export function archivingWords({ archiveInternal, archiveExternal, critical }: GlobalArchiving): string {
  const exceptions = 'policies of sites and people may say otherwise';
  if (!archiveInternal && !archiveExternal) return `nobody is archived; ${exceptions}`;
  const strict = critical ? ', and refused when they cannot be' : '';
  if (archiveInternal && archiveExternal) return `all messages are archived${strict}; ${exceptions}`;
  return archiveInternal
    ? `messages among people of the organisation are archived${strict}, those with others are not; ${exceptions}`
    : `messages with people outside the organisation are archived${strict}, those among its own are not; ${exceptions}`;
}
