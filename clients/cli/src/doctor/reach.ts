import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { type CertificateOf, tlsProbe } from './tls.ts';

/** What stands in the way of a server, and what to do about it. */
export interface Obstacle {
  readonly detail: string;
  readonly remedy: string;
}

/** The port for people, unless the server is configured otherwise. */
const PUBLIC_PORT = 7380;

/** Finds out, step by step, why nothing at `server` answers: name, port, TLS, protocol. */
export async function obstacleTo(server: string, timeoutMs: number): Promise<Obstacle> {
  const url = new URL(server);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const place = `${url.hostname}:${port}`;

  const name = await lookup(host).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
  );
  if (name !== undefined) return nameObstacle(host, name);
  const port_ = await portProbe(host, port, timeoutMs);
  if (port_ !== 'open') return portObstacle(place, port_, timeoutMs);
  const tls = await tlsProbe(host, port, timeoutMs);
  if (secure && tls.kind === 'certificate') {
    const bad = certificateObstacle(host, tls);
    if (bad) return bad;
  } else if (secure)
    return {
      detail: `${place} accepts connections but does not speak TLS (${tls.kind === 'none' ? tls.reason : 'unknown'})`,
      remedy: 'Is this the port of https? Without TLS on the server, use http://, and only on this machine.',
    };
  else if (tls.kind === 'certificate')
    return { detail: `${place} speaks TLS, and the address says http://`, remedy: `Use https://${url.host}` };
  if (!secure && (await speaksHttp2(host, port, timeoutMs)))
    return {
      detail: `${place} is a port for native gRPC`,
      remedy: `parleyctl uses the port that serves the web client, ${PUBLIC_PORT} where nothing else is configured.`,
    };
  return {
    detail: `${place} accepts connections but gives no answer that parleyctl understands`,
    remedy: `Is it Parley's port for people (${PUBLIC_PORT} where nothing else is configured)? A proxy in between must let POST with binary bodies pass.`,
  };
}

function nameObstacle(host: string, code: string): Obstacle {
  if (code === 'ENOTFOUND')
    return {
      detail: `no machine is known by the name ${host} (${code})`,
      remedy: 'Check the spelling; inside an organisation, the name may be known only in its network or VPN.',
    };
  return {
    detail: `the name ${host} cannot be looked up (${code})`,
    remedy: 'The name server of this machine does not answer: check its network, and /etc/resolv.conf.',
  };
}

function portObstacle(place: string, code: string, timeoutMs: number): Obstacle {
  if (code === 'ECONNREFUSED')
    return {
      detail: `nothing listens on ${place} (${code})`,
      remedy: `Is Parley running there (systemctl status parley), on this port (${PUBLIC_PORT} where nothing else is configured), and beyond loopback?`,
    };
  if (code === 'timeout' || code === 'ETIMEDOUT')
    return {
      detail: `${place} gives no answer within ${timeoutMs} ms`,
      remedy:
        'A firewall in between drops it, or the machine is off: try from another network, ask for the port to be opened.',
    };
  return {
    detail: `${place} cannot be reached (${code})`,
    remedy: 'There is no way to that network from here: check the connection of this machine, VPN and routes.',
  };
}

function certificateObstacle(
  host: string,
  { problem, names, validTo, authority }: CertificateOf,
): Obstacle | undefined {
  if (problem === undefined) return undefined;
  if (problem === 'CERT_HAS_EXPIRED')
    return {
      detail: `the certificate of ${host} ended on ${validTo.toISOString().slice(0, 10)}`,
      remedy: 'Renew it on the server: Parley takes up new files by itself.',
    };
  if (problem === 'CERT_NOT_YET_VALID')
    return {
      detail: `the certificate of ${host} is not valid yet`,
      remedy: 'Is the clock of this machine behind? Otherwise the certificate was made with a clock that is ahead.',
    };
  if (problem === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      detail: `the certificate is not for ${host} but for ${names}`,
      remedy: 'Use one of these names as the address, or get a certificate with this one.',
    };
  return {
    detail: `the certificate of ${host} is by ${authority}, whom this machine does not trust (${problem})`,
    remedy:
      'An authority of your own? NODE_EXTRA_CA_CERTS=/path/to/ca.pem parleyctl … Otherwise the server must send its intermediate certificates, too.',
  };
}

/** `open`, `timeout`, or the system's word for why not. */
function portProbe(host: string, port: number, timeoutMs: number): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host, port });
    const done = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => done('timeout'));
    socket.once('connect', () => done('open'));
    socket.once('error', (error: NodeJS.ErrnoException & { errors?: NodeJS.ErrnoException[] }) =>
      done(error.code ?? error.errors?.[0]?.code ?? 'unknown'),
    );
  });
}

const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);
const SETTINGS = 4;

/** Whether a port answers the beginning of HTTP/2 without TLS with one of its own (RFC 9113). */
function speaksHttp2(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host, port }, () => void socket.write(PREFACE));
    const done = (outcome: boolean) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(Math.min(timeoutMs, 2_000), () => done(false));
    socket.once('data', data => done(data.length >= 9 && data[3] === SETTINGS && data[4] === 0));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
  });
}
