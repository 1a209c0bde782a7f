/** Who may call whom (docs: ARCHITECTURE.md). What would point back is an event. */
export const CALLS: Readonly<Record<string, readonly string[]>> = {
  session: ['presence', 'im', 'persistent-chat', 'directory'],
  'edge-federation': ['im', 'presence', 'persistent-chat', 'directory'],
  im: ['presence', 'directory'],
  'persistent-chat': ['directory'],
  presence: ['directory'],
  archiving: ['directory'],
  directory: [],
};
