import { createServer } from 'node:net';
import { readTlsFiles } from '@parley/runtime';
import type { ParleyConfig } from '../config.ts';
import { filesOf } from '../config-parts.ts';
import { explain } from '../explain.ts';
import { isLoopback, LISTENERS, listenerFiles } from '../listeners.ts';
import { type Check, failed, ok, warning } from './check.ts';

const DAY_MS = 24 * 3600 * 1000;
const SOON_DAYS = 21;

/** Where the process listens or will, whether the port can be had, and how long certificates last. */
export async function checkListeners(config: ParleyConfig, running: boolean, nowMs: number): Promise<readonly Check[]> {
  const checks: Check[] = [];
  for (const name of LISTENERS) {
    const { host, port } = config[name];
    const files = listenerFiles(config, name);
    const where = `${host}:${port}${files ? ' with TLS' : ' without TLS'}`;
    const refusal = port === 0 ? undefined : await cannotListen(host, port);
    if (refusal !== undefined && !(running && refusal.taken))
      checks.push(failed(name, explain(refusal.error, config), 'See which program it is: ss -ltnp'));
    else if (!files && !isLoopback(host))
      checks.push(
        warning(
          name,
          `${where}, reached from other machines`,
          `Give ${name}.tls.certFile and keyFile, unless a TLS proxy is in front and the network between is yours.`,
        ),
      );
    else checks.push(ok(name, refusal ? `${where}, in use by Parley` : where));
    if (files) checks.push(checkCertificate(`${name} certificate`, files, nowMs));
  }
  const shown = filesOf(config.services.tls);
  if (Object.keys(shown).length > 0) checks.push(checkCertificate('services certificate', shown, nowMs));
  return checks;
}

function checkCertificate(name: string, files: Parameters<typeof readTlsFiles>[0], nowMs: number): Check {
  try {
    const { notAfterMs, names } = readTlsFiles(files, nowMs);
    const days = Math.floor((notAfterMs - nowMs) / DAY_MS);
    const text = `${names === '' ? '' : `for ${names}, `}ends in ${days} days (${new Date(notAfterMs).toISOString().slice(0, 10)})`;
    return days > SOON_DAYS
      ? ok(name, text)
      : warning(name, text, 'Renew it: put the new files in place of the old ones, no restart is needed.');
  } catch (error) {
    return failed(
      name,
      explain(error),
      'Correct the files; until then a server that runs keeps what it has, and does not start again.',
    );
  }
}

/** What happens when one listens there for a moment; undefined when it works. */
function cannotListen(
  host: string,
  port: number,
): Promise<{ readonly error: Error; readonly taken: boolean } | undefined> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve({ error, taken: error.code === 'EADDRINUSE' }));
    probe.listen(port, host, () => probe.close(() => resolve(undefined)));
  });
}
