import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** Files in PEM that a listener or a client shows and trusts. */
export interface TlsFiles {
  /** Certificate, followed by the intermediate ones of its chain. */
  readonly certFile?: string | undefined;
  /** Its private key, not encrypted. Others than owner and group must not be able to read it. */
  readonly keyFile?: string | undefined;
  /** Authorities whose certificates are trusted: of clients at a listener, of servers at a client. */
  readonly caFile?: string | undefined;
}

/** What the files say. */
export interface TlsMaterial {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  /** End of the certificate, or of the authority that ends first when there is none; milliseconds since 1970-01-01 UTC. */
  readonly notAfterMs: number;
  /** Names the certificate is for, as in its subjectAltName; empty when it has none. */
  readonly names: string;
}

/** One thing that is wrong with the files. */
export interface TlsProblem {
  readonly field: keyof TlsFiles;
  /** Says what is wrong with which file; never quotes its content. */
  readonly message: string;
}

/** Everything that is wrong with the files, at once. */
export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError';
  readonly problems: readonly TlsProblem[];

  constructor(problems: readonly TlsProblem[]) {
    super(problems.map(p => p.message).join('; '));
    this.problems = problems;
  }
}

/** A group may read a key (a certificate agent's, a mounted secret's), nobody else may, and only the owner writes. */
const TOO_OPEN = 0o027;

/**
 * Reads and checks the files: readable, PEM, key and certificate belong together, in force at `nowMs`, key not readable
 * by everybody, accepted by OpenSSL. Throws {@link TlsFilesError} with all problems.
 */
export function readTlsFiles(files: TlsFiles, nowMs: number): TlsMaterial {
  const problems: TlsProblem[] = [];
  const texts = {
    certFile: read('certFile', problems, files),
    keyFile: read('keyFile', problems, files),
    caFile: read('caFile', problems, files),
  };
  if ((files.certFile === undefined) !== (files.keyFile === undefined)) {
    const field = files.certFile === undefined ? 'certFile' : 'keyFile';
    problems.push({ field, message: 'certificate and key are needed together' });
  }
  const chain = certificates(texts.certFile, 'certFile', files, problems);
  const authorities = certificates(texts.caFile, 'caFile', files, problems);
  const key = privateKey(texts.keyFile, files, problems);
  const [own] = chain;
  if (own && key && !own.checkPrivateKey(key))
    problems.push({
      field: 'keyFile',
      message: `${files.keyFile} is not the key of the certificate ${files.certFile}`,
    });
  inForce(own, 'certFile', files, nowMs, problems);
  if (!own) for (const authority of authorities) inForce(authority, 'caFile', files, nowMs, problems);
  if (problems.length === 0) accepted(texts, files, problems);
  if (problems.length > 0) throw new TlsFilesError(problems);
  const ends = (own ? [own] : authorities).map(one => one.validToDate.getTime());
  return {
    ...(texts.certFile !== undefined && { cert: texts.certFile }),
    ...(texts.keyFile !== undefined && { key: texts.keyFile }),
    ...(texts.caFile !== undefined && { ca: texts.caFile }),
    notAfterMs: Math.min(...ends),
    names: own?.subjectAltName ?? '',
  };
}

function read(field: keyof TlsFiles, problems: TlsProblem[], files: TlsFiles): string | undefined {
  const file = files[field];
  if (file === undefined) return undefined;
  try {
    const text = readFileSync(file, 'utf8');
    if (field === 'keyFile' && (statSync(file).mode & TOO_OPEN) !== 0)
      problems.push({ field, message: `${file} can be read by others; run: chmod 600 ${file}` });
    return text;
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'error';
    const why = code === 'ENOENT' ? 'is not there' : code === 'EACCES' ? 'may not be read' : `cannot be read (${code})`;
    problems.push({ field, message: `${file} ${why}` });
    return undefined;
  }
}

function certificates(
  text: string | undefined,
  field: keyof TlsFiles,
  files: TlsFiles,
  problems: TlsProblem[],
): X509Certificate[] {
  if (text === undefined) return [];
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) problems.push({ field, message: `${files[field]} holds no certificate in PEM` });
  try {
    return blocks.map(block => new X509Certificate(block));
  } catch {
    problems.push({ field, message: `${files[field]} holds a certificate that cannot be read` });
    return [];
  }
}

function privateKey(text: string | undefined, files: TlsFiles, problems: TlsProblem[]): KeyObject | undefined {
  if (text === undefined) return undefined;
  try {
    return createPrivateKey(text);
  } catch {
    const encrypted = /ENCRYPTED/.test(text);
    const message = encrypted ? 'is encrypted; a server needs it without a passphrase' : 'holds no private key in PEM';
    problems.push({ field: 'keyFile', message: `${files.keyFile} ${message}` });
    return undefined;
  }
}

function inForce(
  certificate: X509Certificate | undefined,
  field: keyof TlsFiles,
  files: TlsFiles,
  nowMs: number,
  problems: TlsProblem[],
): void {
  if (!certificate) return;
  const { validFromDate, validToDate } = certificate;
  const day = (at: Date) => at.toISOString().replace('.000', '');
  if (validToDate.getTime() <= nowMs)
    problems.push({ field, message: `${files[field]} ended at ${day(validToDate)}; renew it` });
  else if (validFromDate.getTime() > nowMs)
    problems.push({ field, message: `${files[field]} begins only at ${day(validFromDate)}; check the clock` });
}

/** OpenSSL refuses some that are well formed, for example keys that are too short. */
function accepted(
  texts: Readonly<Record<keyof TlsFiles, string | undefined>>,
  files: TlsFiles,
  problems: TlsProblem[],
): void {
  try {
    createSecureContext({ cert: texts.certFile, key: texts.keyFile, ca: texts.caFile });
  } catch (error) {
    const field = texts.certFile === undefined ? 'caFile' : 'certFile';
    problems.push({ field, message: `OpenSSL does not accept ${files[field]}: ${(error as Error).message}` });
  }
}
