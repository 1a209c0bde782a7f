/** Tokens of a subject: what NATS allows everywhere and no pattern can match by accident. */
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Joins tokens into a subject. The only place where subjects are made: a token with any other character than
 * `[A-Za-z0-9_-]`, an empty or too long one is refused with a RangeError, so that no id can widen a subscription.
 */
export function subject(...tokens: readonly string[]): string {
  for (const token of tokens) {
    if (!TOKEN.test(token)) throw new RangeError(`unsafe subject token ${JSON.stringify(token.slice(0, 140))}`);
  }
  return tokens.join('.');
}

/** Levels as they stand in subjects; one word for each `ContactLevel` that can be watched. */
export type LevelToken = 'external' | 'colleagues' | 'workgroup' | 'friends';

/** Every subject of the product. Payloads are messages of `parley.event.v1` unless said otherwise. */
export const subjects = {
  /** `PresenceEnvelope` of one person at one level. */
  presence: (personId: string, level: LevelToken) => subject('presence', personId, level),
  /** Pattern for all `presence`. */
  allPresence: 'presence.*.*',
  /** An encoded `parley.im.v1.ImEvent` for one person. */
  im: (personId: string) => subject('im', personId),
  /** Pattern for all `im`. */
  allIm: 'im.*',
  /** `DirectoryChanged` of one person; person id `_global` stands for everybody. */
  directoryChanged: (personId: string) => subject('directory', 'changed', personId),
  /** Pattern for all `directoryChanged`. */
  allDirectoryChanged: 'directory.changed.*',
  /** `SessionCommand` for whoever holds the session. */
  sessionCommand: (sessionId: string) => subject('session', sessionId, 'cmd'),
  /** Pattern for all `sessionCommand`. */
  allSessionCommands: 'session.*.cmd',
} as const;
