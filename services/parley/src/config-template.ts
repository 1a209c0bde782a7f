/** Defaults to begin with. */
export const PROFILES = {
  standard: {
    meaning: 'nobody is archived unless a policy says so; a sign-in that is not used ends after 14 days',
    settings: { archiveInternal: false, archiveExternal: false, archiveCritical: false },
  },
  regulated: {
    meaning:
      'everybody is archived, what cannot be archived is refused, and a sign-in that is not used ends after a day',
    settings: {
      archiveInternal: true,
      archiveExternal: true,
      archiveCritical: true,
      accessTokenLifetimeMs: 300_000,
      refreshIdleMs: 86_400_000,
    },
  },
} as const;

/** One of {@link PROFILES}. */
export type ProfileName = keyof typeof PROFILES;

/** What a new configuration says. */
export interface FirstSettings {
  readonly domains: readonly string[];
  readonly profile: ProfileName;
  /** Given where the file does not lie in the data directory. */
  readonly dataDir?: string | undefined;
}

/** A configuration with comments for whoever edits it. */
export function configTemplate({ domains, profile, dataDir }: FirstSettings): string {
  const { meaning, settings } = PROFILES[profile];
  const lines = Object.entries(settings).map(([key, value]) => `  ${key}: ${value}`);
  return `# Parley. Every setting with its default and its meaning: docs/reference/configuration.md
# Variables of the environment win: PARLEY_PUBLIC_PORT is public.port. 'parley check-config' checks all of it.
${dataDir === undefined ? '' : `\n# Database and keys.\ndataDir: ${JSON.stringify(dataDir)}\n`}
directory:
  # Addresses of people lie in these domains.
  domains: ${JSON.stringify(domains)}
  # Profile ${profile}: ${meaning}.
  # Policies of people, and one for everybody, set with 'parleyctl policy', come before these.
${lines.join('\n')}

# Who reaches this server. Listeners beyond loopback need TLS. Renewed files are taken without a restart.
# public:
#   host: 0.0.0.0
#   port: 7380
#   tls:
#     certFile: /etc/parley/tls/parley.pem
#     keyFile: /etc/parley/tls/parley.key

# Native gRPC (grpc, 7390) and health and metrics (admin, 7399) stay on loopback unless set in the same way.

# The second copy of signed archive checkpoints: best on another disk or machine.
# checkpointCopyDir: /mnt/elsewhere/parley-checkpoints

# log:
#   level: info
`;
}
