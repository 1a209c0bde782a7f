import { z } from 'zod';

/** A port to listen on. */
export const port = (value: number, what: string) =>
  z.int().min(0).max(65_535).default(value).describe(`${what}; 0 takes any free port.`);

/** An address to listen on. */
export const host = (what: string) => z.string().min(1).max(253).default('127.0.0.1').describe(what);

/** A list of texts. */
export const list = (what: string) => z.array(z.string().min(1).max(512)).max(64).default([]).describe(what);

/** The name of a file or directory; relative ones begin at the working directory. */
export const path = (what: string) => z.string().max(4_096).default('').describe(what);

const pair = (whose: string) => ({
  certFile: path(
    `Certificate of ${whose} in PEM, followed by its chain. Empty: without TLS. Looked at again every tlsReloadMs.`,
  ),
  keyFile: path(`Private key of ${whose} in PEM, without a passphrase, readable by owner and group only.`),
});

/** TLS of a listener that may ask callers for certificates. */
export const listenerTls = (whose: string) =>
  z
    .strictObject({
      ...pair(whose),
      clientCaFile: path('Authorities in PEM; when given, callers must show a certificate of theirs (mTLS).'),
    })
    .prefault({});

/** TLS of the public listener. */
export const publicTls = z
  .strictObject({
    ...pair('the public listener'),
    hstsSeconds: z
      .int()
      .min(0)
      .max(63_072_000)
      .default(31_536_000)
      .describe(
        'For how long browsers are to come back over TLS only (strict-transport-security), seconds, 0 to 63,072,000; 0 says nothing to them.',
      ),
  })
  .prefault({});

/** How services of other processes are called. */
export const callSettings = {
  callTimeoutMs: z
    .int()
    .min(100)
    .max(120_000)
    .default(10_000)
    .describe(
      'Longest time for a call to another service, repetitions included, milliseconds, 100 to 120,000; never longer than what is left to whoever it is made for.',
    ),
  callAttempts: z
    .int()
    .min(1)
    .max(5)
    .default(3)
    .describe(
      'How often a call is made when nobody answers, if repeating it changes nothing, 1 to 5; every tenth call may be repeated, and two in a second.',
    ),
  callHedgeMs: z
    .int()
    .min(10)
    .max(120_000)
    .default(1_000)
    .describe(
      'A call that only reads and has no answer after this time is made with another replica as well, milliseconds, 10 to 120,000: whoever hangs must not hold up those who wait.',
    ),
  callsInFlight: z
    .int()
    .min(1)
    .max(100_000)
    .default(1000)
    .describe('Calls under way with one replica of a service; past it they are refused at once, 1 to 100,000.'),
  circuitOpenMs: z
    .int()
    .min(10)
    .max(60_000)
    .default(1000)
    .describe(
      'How long a replica that does not answer gets no calls, milliseconds, 10 to 60,000; doubles up to ten times as long while it stays silent.',
    ),
  resolveMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(10_000)
    .describe('How often names of services are looked up again, to find new replicas, milliseconds, 100 to 3,600,000.'),
};

/** TLS towards a server. */
export const clientTls = (server: string) =>
  z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe(`Connect to ${server} with TLS only. On by itself when a file below is given.`),
      caFile: path(`Authorities that ${server} is trusted by, PEM; empty: those of the system.`),
      certFile: path(`Certificate to show to ${server}, PEM; empty: none.`),
      keyFile: path('Its private key, PEM, readable by owner and group only.'),
    })
    .prefault({});

/** TLS towards MongoDB, whose driver wants certificate and key in one file. */
export const mongoTls = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe('Connect to MongoDB with TLS only. On by itself when a file below is given.'),
    caFile: path('Authorities that MongoDB is trusted by, PEM; empty: those of the system.'),
    certificateKeyFile: path('Certificate and key to show to MongoDB, both in one PEM file; empty: none.'),
  })
  .prefault({});

/** Whether a connection is to be TLS. */
export const wantsTls = ({ enabled, ...files }: { readonly enabled: boolean } & Readonly<Record<string, unknown>>) =>
  enabled || Object.values(files).some(file => file !== '');

/** The files of a section as adapters take them: those that are given. */
export function filesOf<T extends object>(section: T): { [K in keyof T]?: string } {
  const given = Object.entries(section).filter(([name, value]) => name.endsWith('File') && value !== '');
  return Object.fromEntries(given) as { [K in keyof T]?: string };
}
