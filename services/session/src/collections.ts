/** Sessions live in memory only: what must last is kept by presence and im. */
export const sessionCollections = [] as const;
