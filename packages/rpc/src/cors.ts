/** Which other origins may call from a browser. */
export interface CorsOptions {
  /** `*`, or origins such as `https://chat.example`. None: only the server's own pages. */
  readonly origins: '*' | readonly string[];
  /** How long a browser may remember a preflight, seconds, default 7,200. */
  readonly maxAgeSeconds?: number;
}

const exposed = 'grpc-status, grpc-message, grpc-status-details-bin';
const allowedHeaders =
  'authorization, content-type, grpc-timeout, grpc-encoding, grpc-accept-encoding, x-grpc-web, x-user-agent, connect-protocol-version, traceparent, x-request-id';

/** Answers about cross-origin calls, as flat lists of header names and values. https://fetch.spec.whatwg.org/#http-cors-protocol */
export interface Cors {
  /** Fields to add to a response to a request from `origin`. */
  fields(origin: string | undefined): readonly string[];
  /** Fields of the answer to a preflight; undefined when the origin is not allowed. */
  preflight(origin: string | undefined): readonly string[] | undefined;
}

/** Everything is worked out here once; a request costs one look-up. */
export function createCors(options: CorsOptions): Cors {
  const maxAge = String(options.maxAgeSeconds ?? 7200);
  const common = ['access-control-expose-headers', exposed];
  const preflightFields = [
    'access-control-allow-methods',
    'POST, GET, PUT, DELETE',
    'access-control-allow-headers',
    allowedHeaders,
    'access-control-max-age',
    maxAge,
  ];
  if (options.origins === '*') {
    const any = ['access-control-allow-origin', '*'];
    const fields = [...any, ...common];
    const preflight = [...any, ...preflightFields];
    return { fields: origin => (origin === undefined ? none : fields), preflight: () => preflight };
  }
  const vary = ['vary', 'origin'];
  const byOrigin = new Map(
    options.origins.map(origin => {
      const own = ['access-control-allow-origin', origin, ...vary];
      return [normalise(origin), { fields: [...own, ...common], preflight: [...own, ...preflightFields] }] as const;
    }),
  );
  const others = byOrigin.size > 0 ? vary : none;
  return {
    fields: origin => (origin === undefined ? others : (byOrigin.get(origin)?.fields ?? others)),
    preflight: origin => (origin === undefined ? undefined : byOrigin.get(origin)?.preflight),
  };
}

const none: readonly string[] = [];

function normalise(origin: string): string {
  const url = new URL(origin);
  if (url.origin !== origin) throw new Error(`${origin} is not an origin; ${url.origin} is`);
  return origin;
}
