/** The policy of everybody, in words for administrators. */
export function summaryOf(
  policy: { readonly internal: boolean; readonly external: boolean; readonly critical: boolean } | undefined,
): string {
  if (!policy) return 'The directory does not answer: it is not known who is archived.';
  const { internal, external, critical } = policy;
  if (!internal && !external) return 'Nobody is archived unless a policy of a person or site says so.';
  const talks =
    internal && external ? 'all messages' : internal ? 'messages within the organisation' : 'messages with outsiders';
  const mode = critical
    ? 'critical mode: what cannot be archived is refused'
    : 'not critical: what cannot be archived at once is delivered and archived later';
  return `For everybody without a policy of his own, ${talks} are archived; ${mode}.`;
}
