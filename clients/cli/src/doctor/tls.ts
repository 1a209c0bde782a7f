import { isIP } from 'node:net';
import { checkServerIdentity, connect, type DetailedPeerCertificate } from 'node:tls';

/** The certificate a server shows, and what is wrong with it. */
export interface CertificateOf {
  readonly kind: 'certificate';
  /** The reason not to trust it, as OpenSSL or Node.js calls it. */
  readonly problem: string | undefined;
  /** Names it is for. */
  readonly names: string;
  readonly authority: string;
  /** When it, or the first certificate above it that the server sent, ends. */
  readonly validTo: Date;
}

/** What a port says to TLS. */
export type TlsProbe = CertificateOf | { readonly kind: 'none'; readonly reason: string };

/** Shakes hands, whatever the certificate is, and looks at it. */
export function tlsProbe(host: string, port: number, timeoutMs: number): Promise<TlsProbe> {
  return new Promise(resolve => {
    const servername = isIP(host) ? {} : { servername: host };
    const socket = connect({ host, port, ...servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
    const done = (outcome: TlsProbe) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.setTimeout(timeoutMs, () => done({ kind: 'none', reason: 'timeout' }));
    socket.once('error', (error: NodeJS.ErrnoException) => done({ kind: 'none', reason: error.code ?? error.message }));
    socket.once('close', () => done({ kind: 'none', reason: 'closed' }));
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerCertificate(true);
      const { authorizationError: refused } = socket;
      const named = checkServerIdentity(host, certificate) as NodeJS.ErrnoException | undefined;
      const names = certificate.subjectaltname?.replaceAll(/(DNS|IP Address):/g, '') ?? String(certificate.subject?.CN);
      done({
        kind: 'certificate',
        problem: refused ? codeOf(refused) : named?.code,
        names,
        authority: String(certificate.issuer?.CN ?? certificate.issuer?.O ?? 'an unnamed authority'),
        validTo: earliestEnd(certificate),
      });
    });
  });
}

const codeOf = (problem: unknown): string =>
  typeof problem === 'string' ? problem : ((problem as NodeJS.ErrnoException).code ?? String(problem));

function earliestEnd(certificate: DetailedPeerCertificate): Date {
  let end = new Date(certificate.valid_to);
  const seen = new Set<unknown>();
  for (let at = certificate; at && !seen.has(at.fingerprint256); at = at.issuerCertificate) {
    seen.add(at.fingerprint256);
    const next = new Date(at.valid_to);
    if (next < end) end = next;
  }
  return end;
}
