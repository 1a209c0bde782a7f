import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate and its key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate authority for one test. */
export interface TestAuthority {
  /** Its certificate, PEM. */
  readonly caFile: string;
  readonly ca: string;
  /**
   * Writes `<name>.pem` and `<name>.key`, for `localhost`, 127.0.0.1 and ::1, in force for `days` from now; replaces what
   * is there, each file in one step.
   */
  issue(name: string, options?: { readonly days?: number; readonly commonName?: string }): CertificateFiles;
}

/** Makes an authority with OpenSSL's command in `dir`. */
export function createAuthority(dir: string, name = 'ca'): TestAuthority {
  const path = (file: string) => join(dir, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '30'],
    ...['-subj', `/CN=Test authority ${name}`, '-addext', 'basicConstraints=critical,CA:TRUE'],
  );
  return {
    caFile: path(`${name}.pem`),
    ca: readFileSync(path(`${name}.pem`), 'utf8'),
    issue(leaf, { days = 30, commonName = leaf } = {}) {
      const draft = (suffix: string) => `${leaf}.draft.${suffix}`;
      openssl('req', ...newKey, '-keyout', draft('key'), '-out', draft('csr'), '-subj', `/CN=${commonName}`);
      writeFileSync(
        path(draft('ext')),
        'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\nbasicConstraints=CA:FALSE\n',
      );
      openssl(
        ...['x509', '-req', '-in', draft('csr'), '-CA', `${name}.pem`, '-CAkey', `${name}.key`, '-CAcreateserial'],
        ...['-days', String(days), '-extfile', draft('ext'), '-out', draft('pem')],
      );
      chmodSync(path(draft('key')), 0o600);
      renameSync(path(draft('key')), path(`${leaf}.key`));
      renameSync(path(draft('pem')), path(`${leaf}.pem`));
      return { certFile: path(`${leaf}.pem`), keyFile: path(`${leaf}.key`) };
    },
  };
}
