import { publicPrefixes, type TargetName } from './routes.ts';

/** Addresses of one replica. */
export interface ReplicaAddress {
  readonly target: TargetName;
  readonly host: string;
  readonly publicPort: number;
  readonly grpcPort: number;
  readonly adminPort: number;
}

/** What the load balancer listens on and balances over. */
export interface HaproxyPlan {
  readonly publicBind: string;
  readonly grpcBind: string;
  /** Connections at once; default 100,000. Two file descriptors each. */
  readonly maxConnections?: number;
  /** TLS in front and behind; without it both are in clear. Health checks stay in clear. */
  readonly tls?: HaproxyTls;
  readonly replicas: readonly ReplicaAddress[];
}

/** Files as HAProxy reads them. */
export interface HaproxyTls {
  /** What clients are shown: certificate, its chain and the key in one PEM file. */
  readonly certificate: string;
  /** Authorities that the replicas' certificates must come from. */
  readonly caFile: string;
  /** What replicas that ask for a certificate are shown, as `certificate`; none without it. */
  readonly clientCertificate?: string;
  /** Name that must be in the replicas' certificates. */
  readonly serverName: string;
}

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
    server: (r: ReplicaAddress, name: string) => string,
    ...extra: readonly string[]
  ) => [
    `backend ${target}-${suffix}`,
    `  balance ${target === 'session' ? 'leastconn' : 'roundrobin'}`,
    ...extra,
    ...plan.replicas
      .filter(r => r.target === target)
      .map((r, i) => `  server ${target}${i + 1} ${r.host}:${server(r, `${target}${i + 1}`)}`),
    '',
  ];
  const checked = (r: ReplicaAddress) =>
    `check check-proto h1 port ${r.adminPort} inter 2s fastinter 250ms downinter 1s fall 2 rise 1 observe layer4 error-limit 2 on-error mark-down`;
  return [
    'global',
    `  maxconn ${plan.maxConnections ?? 100_000}`,
    '  log stderr format raw local0 notice',
    '',
    'defaults',
    '  mode http',
    '  log global',
    '  option redispatch',
    '  option http-keep-alive',
    // or the kernel holds small messages of a stream back for up to 200 ms, to fill packets
    '  option http-no-delay',
    '  retries 3',
    '  retry-on conn-failure',
    '  timeout connect 2s',
    '  timeout client 75s',
    '  timeout server 75s',
    '  timeout http-request 10s',
    '  timeout http-keep-alive 60s',
    '  timeout queue 5s',
    '',
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
      ...backend(target, 'web', r => `${r.publicPort}${trusted} ${checked(r)}`, '  option httpchk GET /readyz'),
      // both listeners are of one process, which is asked once
      ...backend(
        target,
        'grpc',
        (r, name) => `${r.grpcPort}${trusted}${plan.tls ? ' alpn h2' : ''} proto h2 track ${target}-web/${name}`,
      ),
    ]),
  ].join('\n');
}
