import type { ParleyConfig } from '../config.ts';
import { type Holder, holderName, rightsOfAll } from './rights.ts';

/** How a user proves to NATS who he is. */
export type NatsProof = { readonly kind: 'password' } | { readonly kind: 'nkey'; readonly publicKey: string };

/** A user of NATS: the services of one process, or the administrator. */
export interface NatsUser {
  readonly holders: readonly Holder[];
  readonly proof: NatsProof;
}

/** Name of a user at NATS. */
export const natsUserName = (holders: readonly Holder[]): string => `parley-${holderName(holders)}`;

/** The variable of the server's environment that holds a user's password, or its bcrypt hash. */
export const natsPasswordVariable = (holders: readonly Holder[]): string =>
  `PARLEY_NATS_${holderName(holders)
    .toUpperCase()
    .replace(/[^A-Z]/g, '_')}`;

/**
 * An account with one user for each process, who may publish and subscribe to what its services need, to be included in
 * the configuration of a NATS server. Holds no secret.
 */
export function natsPermissions(users: readonly NatsUser[], config: ParleyConfig): string {
  const blocks = users.map(({ holders, proof }) => {
    const { publishes, subscribes } = rightsOfAll(holders, config);
    return `      {
        ${proofOf(holders, proof)}
        permissions: {
          publish: ${subjectsOf(publishes)}
          subscribe: ${subjectsOf(subscribes)}
        }
      }`;
  });
  return `# Made by 'parley print-nats-permissions': a user for each process of Parley, allowed what its services need.
# Include it in the configuration of the NATS server; make it anew after every upgrade of Parley.
accounts {
  PARLEY {
    users: [
${blocks.join('\n')}
    ]
  }
}
`;
}

function proofOf(holders: readonly Holder[], proof: NatsProof): string {
  if (proof.kind === 'nkey') return `nkey: ${proof.publicKey} # ${natsUserName(holders)}`;
  return `user: "${natsUserName(holders)}"\n        password: $${natsPasswordVariable(holders)}`;
}

/** An empty list of what is allowed would allow everything. */
const subjectsOf = (patterns: readonly string[]): string =>
  patterns.length === 0 ? '{ deny: ">" }' : `{ allow: [${patterns.map(pattern => `"${pattern}"`).join(', ')}] }`;
