import { z } from 'zod';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const ms = (from: number, to: number) => z.int().min(from).max(to);

export const directoryConfigSchema = z.strictObject({
  domains: z
    .array(z.string().min(1).max(253))
    .min(1)
    .max(1000)
    .default(['parley.example'])
    .describe("The organisation's mail-like domains; addresses of people lie in one of them. 1 to 1000 names."),
  accessTokenLifetimeMs: ms(1000, day)
    .default(10 * minute)
    .describe('Life of an access token, milliseconds, 1,000 to 86,400,000.'),
  refreshIdleMs: ms(1000, 400 * day)
    .default(14 * day)
    .describe('A sign-in not refreshed for so long is over, milliseconds, 1,000 to 34,560,000,000.'),
  refreshAbsoluteMs: ms(1000, 400 * day)
    .default(90 * day)
    .describe('A sign-in is over so long after it began, whatever happens, milliseconds, 1,000 to 34,560,000,000.'),
  refreshGraceMs: ms(0, 5 * minute)
    .default(30_000)
    .describe(
      'For how long the refresh token just replaced still gets the same successor, milliseconds, 0 to 300,000.',
    ),
  lockoutAttempts: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .describe('Wrong passwords within the window that lock sign-in, 1 to 1,000.'),
  lockoutWindowMs: ms(1000, 30 * day)
    .default(15 * minute)
    .describe('Window in which wrong passwords are counted, milliseconds, 1,000 to 2,592,000,000.'),
  lockoutDurationMs: ms(1000, 30 * day)
    .default(15 * minute)
    .describe('For how long sign-in stays locked, milliseconds, 1,000 to 2,592,000,000.'),
  signInsPerAddressPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(60)
    .describe('Attempts to sign in with one address, each minute and process, 1 to 1,000,000.'),
  signInsPerPeerPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(600)
    .describe(
      'Attempts to sign in from one network address, each minute and process, 1 to 1,000,000. Whole sites may share one.',
    ),
  refreshesPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(60)
    .describe('Refreshes of one sign-in, each minute and process, 1 to 1,000,000.'),
  signInsPerPerson: z
    .int()
    .min(1)
    .max(1000)
    .default(50)
    .describe('Sign-ins a person may have at once; a new one beyond it ends the oldest. 1 to 1,000.'),
  hashMemoryKiB: z
    .int()
    .min(8)
    .max(4_194_304)
    .default(19_456)
    .describe('Memory of argon2id, KiB, 8 to 4,194,304; at least 8 for each lane. Less than 19,456 only in tests.'),
  hashPasses: z.int().min(1).max(1000).default(2).describe('Passes of argon2id, 1 to 1,000.'),
  hashParallelism: z.int().min(1).max(16).default(1).describe('Lanes of argon2id, 1 to 16.'),
  hashConcurrency: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Passwords hashed at the same time in one process, 1 to 64; each takes a thread and the memory above.'),
  hashQueue: z
    .int()
    .min(0)
    .max(10_000)
    .default(64)
    .describe('Passwords that may wait to be hashed; past it sign-in is refused with the time to wait. 0 to 10,000.'),
  claimTakeoverMs: ms(1000, day)
    .default(10 * minute)
    .describe(
      'An address claimed by a creation that was never finished is free again after so long, milliseconds, 1,000 to 86,400,000.',
    ),
  searchScanLimit: z
    .int()
    .min(10)
    .max(10_000)
    .default(500)
    .describe('Entries looked at for one search before the answer is cut, 10 to 10,000.'),
  standingMaxAgeMs: ms(0, 60_000)
    .default(2000)
    .describe(
      'For how long it is taken as known that the sign-in behind an access token stands, when somebody only reads; changes and administration always look, milliseconds, 0 to 60,000.',
    ),
  keySetMaxAgeMs: ms(1000, day)
    .default(5 * minute)
    .describe('For how long the key set may be kept by others, milliseconds, 1,000 to 86,400,000.'),
  archiveInternal: z
    .boolean()
    .default(false)
    .describe('Archive messages among people of the organisation unless a policy says otherwise.'),
  archiveExternal: z
    .boolean()
    .default(false)
    .describe('Archive messages with people outside the organisation unless a policy says otherwise.'),
  archiveCritical: z
    .boolean()
    .default(false)
    .describe('Refuse messages that should be archived and cannot be, unless a policy says otherwise.'),
});

export type DirectoryConfig = z.infer<typeof directoryConfigSchema>;
