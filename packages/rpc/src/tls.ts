import { type ChannelCredentials, experimental, ServerCredentials } from '@grpc/grpc-js';
import type { TlsMaterial, TlsSource } from '@parley/runtime';

/** PEM texts that stay as they are. With `clientCa`, callers must show a certificate of that authority. */
export interface StaticTls {
  readonly key: string;
  readonly cert: string;
  readonly clientCa?: string;
}

/** What a listener shows: texts, or a source that may renew them while connections are open. */
export type ServerTls = StaticTls | TlsSource;

/** Texts as a source that never changes. */
export function asTlsSource(tls: ServerTls): TlsSource {
  if ('onChange' in tls) return tls;
  const { key, cert, clientCa } = tls;
  const current = { key, cert, notAfterMs: Number.POSITIVE_INFINITY, names: '', ...(clientCa && { ca: clientCa }) };
  return { current, onChange: () => () => {} };
}

/** Options of a listener of Node for what is in force; TLS 1.2 or newer. */
export const secureContextOf = ({ key, cert, ca }: TlsMaterial) => ({
  key,
  cert,
  minVersion: 'TLSv1.2' as const,
  ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
});

type Provider = Parameters<typeof experimental.createCertificateProviderChannelCredentials>[0];

/** The library's view of a source: what is in force at once, then every renewal. */
function providerOf(source: TlsSource, fallbackCa: () => string): Provider {
  type Listener<T> = (update: T | null) => void;
  const forget = new Map<unknown, () => void>();
  const add = <T>(listener: Listener<T>, of: (material: TlsMaterial) => T) => {
    forget.set(
      listener,
      source.onChange(material => listener(of(material))),
    );
    listener(of(source.current));
  };
  const remove = (listener: unknown) => {
    forget.get(listener)?.();
    forget.delete(listener);
  };
  return {
    addCaCertificateListener: listener =>
      add(listener, ({ ca }) => ({ caCertificate: Buffer.from(ca ?? fallbackCa()) })),
    removeCaCertificateListener: remove,
    addIdentityCertificateListener: listener =>
      add(listener, ({ cert = '', key = '' }) => ({ certificate: Buffer.from(cert), privateKey: Buffer.from(key) })),
    removeIdentityCertificateListener: remove,
  };
}

/** Those of the library never change, or begin without any. */
class RenewedServerCredentials extends ServerCredentials {
  constructor(source: TlsSource) {
    const { requestCert = false, rejectUnauthorized = false, ...context } = secureContextOf(source.current);
    super({ requestCert, rejectUnauthorized }, context);
    source.onChange(next => this.updateSecureContextOptions(secureContextOf(next)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Credentials of a gRPC listener; undefined serves in clear. */
export function serverCredentials(tls: ServerTls | undefined): ServerCredentials {
  return tls ? new RenewedServerCredentials(asTlsSource(tls)) : ServerCredentials.createInsecure();
}

/** Credentials of a gRPC client that follow a source; without authorities of its own it trusts the system's. */
export function renewedChannelCredentials(source: TlsSource, systemCa: () => string): ChannelCredentials {
  const provider = providerOf(source, systemCa);
  const identity = source.current.cert === undefined ? null : provider;
  return experimental.createCertificateProviderChannelCredentials(provider, identity);
}
