import { z } from 'zod';
import { publicPrefixes, TARGET_NAMES, type TargetName } from './routes.ts';

/** No spaces, quotes or comments: nothing that would be another directive. */
const word = z.string().regex(/^[\w.:*/[\]-]{1,253}$/, 'letters, digits and . : * / [ ] - only, at most 253');
const port = z.int().min(1).max(65_535);

const replica = z.strictObject({
  target: z.enum(TARGET_NAMES),
  host: word,
  publicPort: port,
  grpcPort: port,
  adminPort: port,
  /**
   * The host is a name that leads to at most so many replicas. It is looked up again every few seconds, so replicas come
   * and go without a new configuration.
   */
  atMost: z.int().min(1).max(1_000).optional(),
});

/** What the load balancer listens on and balances over. */
export const haproxyPlanSchema = z.strictObject({
  publicBind: word,
  grpcBind: word,
  /** Connections at once. Two file descriptors each. */
  maxConnections: z.int().min(100).max(10_000_000).default(100_000),
  /** Name servers that are asked for the names of replicas with `atMost`; none: those of the system. */
  nameServers: z.array(word).max(10).default([]),
  /** TLS in front and behind; without it both are in clear. Health checks stay in clear. */
  tls: z
    .strictObject({
      /** What clients are shown: certificate, its chain and the key in one PEM file. */
      certificate: word,
      /** Authorities that the replicas' certificates must come from. */
      caFile: word,
      /** What replicas that ask for a certificate are shown, as `certificate`; none without it. */
      clientCertificate: word.optional(),
      /** Name that must be in the replicas' certificates. */
      serverName: word,
    })
    .optional(),
  replicas: z.array(replica).min(1).max(1_000),
});

/** One entry of {@link haproxyPlanSchema}. */
type Replica = z.infer<typeof replica>;

/** Reads a plan; throws an error that names each field that is wrong, and why. */
export function readHaproxyPlan(json: string): HaproxyPlan {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new Error(`the plan is no JSON: ${(cause as Error).message}`, { cause });
  }
  const { data, error } = haproxyPlanSchema.safeParse(value);
  if (data) return data;
  throw new Error(
    `the plan is wrong: ${error.issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')}`,
  );
}

/** See {@link haproxyPlanSchema}. */
export type HaproxyPlan = z.infer<typeof haproxyPlanSchema>;

/**
 * Renders a complete HAProxy configuration. Calls go to the service that owns them by the proto service prefix; only
 * calls that never reached a server are sent again to another one, because the rest is the client's to decide.
 */
export function renderHaproxy(plan: HaproxyPlan): string {
  const targets = [...new Set(plan.replicas.map(r => r.target))];
  const rules = targets.flatMap(target => publicPrefixes(target).map(prefix => ({ target, prefix })));
  const shown = (alpn: string) => (plan.tls ? ` ssl crt ${plan.tls.certificate} alpn ${alpn}` : '');
  const own = plan.tls?.clientCertificate ? ` crt ${plan.tls.clientCertificate}` : '';
  const trusted = plan.tls
    ? ` ssl verify required ca-file ${plan.tls.caFile} verifyhost ${plan.tls.serverName} sni str(${plan.tls.serverName})${own}`
    : '';
  const frontend = (name: string, bind: string, suffix: string, extra: readonly string[], otherwise: string) => [
    `frontend ${name}`,
    `  bind ${bind}`,
    ...extra.map(line => `  ${line}`),
    ...rules.map(({ target, prefix }) => `  use_backend ${target}-${suffix} if { path_beg /${prefix}/ }`),
    `  default_backend ${otherwise}`,
    '',
  ];
  const backend = (
    target: TargetName,
    suffix: string,
    reach: (r: Replica) => string,
    watch: (r: Replica, name: string) => string,
  ) => {
    const replicas = plan.replicas.filter(r => r.target === target).map((r, i) => [r, `${target}${i + 1}`] as const);
    return [
      `backend ${target}-${suffix}`,
      `  balance ${target === 'session' ? 'leastconn' : 'roundrobin'}`,
      '  option httpchk GET /readyz',
      ...replicas.map(([r, name]) => server(r, name, `${reach(r)} ${watch(r, name)}`)),
      // while none is ready, say because NATS is away from all of them, any that lives is better than none
      '  option allbackups',
      ...replicas.map(([r, name]) => server(r, `${name}-unready`, `${reach(r)} backup`)),
      '',
    ];
  };
  const server = (r: Replica, name: string, rest: string) =>
    r.atMost === undefined
      ? `  server ${name} ${r.host}:${rest}`
      : `  server-template ${name}- ${r.atMost} ${r.host}:${rest} resolvers names init-addr none`;
  const checked = (r: Replica) =>
    `check check-proto h1 port ${r.adminPort} inter 2s fastinter 250ms downinter 1s fall 2 rise 1 observe layer4 error-limit 2 on-error mark-down`;
  // both listeners are of one process, which is asked once; those of a name cannot say which of them is which
  const followed = (r: Replica, name: string, target: TargetName) =>
    r.atMost === undefined ? `track ${target}-web/${name}` : checked(r);
  const resolvers = plan.replicas.some(r => r.atMost !== undefined)
    ? [
        'resolvers names',
        ...(plan.nameServers.length === 0
          ? ['  parse-resolv-conf']
          : plan.nameServers.map((address, i) => `  nameserver n${i + 1} ${address}`)),
        '  accepted_payload_size 8192',
        '  timeout resolve 1s',
        '  timeout retry 1s',
        '  hold valid 2s',
        '',
      ]
    : [];
  return [
    'global',
    `  maxconn ${plan.maxConnections}`,
    '  log stderr format raw local0 notice',
    '',
    'defaults',
    '  mode http',
    '  log global',
    '  option redispatch',
    '  option http-keep-alive',
    // or the kernel holds small messages of a stream back for up to 200 ms, to fill packets
    '  option http-no-delay',
    // or a server hears only by its next heartbeats that a browser has gone
    '  option abortonclose',
    '  retries 3',
    '  retry-on conn-failure',
    '  timeout connect 2s',
    '  timeout client 75s',
    '  timeout server 75s',
    '  timeout http-request 10s',
    '  timeout http-keep-alive 60s',
    '  timeout queue 5s',
    '',
    ...resolvers,
    // the web client's pages and whatever nobody owns: directory serves the one and refuses the other
    ...frontend(
      'public',
      `${plan.publicBind}${shown('h2,http/1.1')}`,
      'web',
      ['http-request set-header x-forwarded-for %[src]'],
      targets.includes('directory') ? 'directory-web' : 'unrouted',
    ),
    ...frontend('grpc', `${plan.grpcBind}${shown('h2')} proto h2`, 'grpc', [], 'unrouted'),
    'backend unrouted',
    '  http-request return status 404 content-type text/plain string "no service owns this path"',
    '',
    ...targets.flatMap(target => [
      ...backend(target, 'web', r => `${r.publicPort}${trusted}`, checked),
      ...backend(
        target,
        'grpc',
        r => `${r.grpcPort}${trusted}${plan.tls ? ' alpn h2' : ''} proto h2`,
        (r, name) => followed(r, name, target),
      ),
    ]),
  ].join('\n');
}
