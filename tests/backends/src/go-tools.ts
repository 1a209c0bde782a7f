/** Programs that tests run as they are: grpcurl looks at gRPC services from a shell, k6 loads them, connectconformance tests them. */
import { join } from 'node:path';
import { build } from './build.ts';
import type { Log } from './tools.ts';
import { type ArtefactName, artefactDir } from './versions.ts';

/** The path of grpcurl; builds it when it is missing. */
export const grpcurlPath = (log?: Log): Promise<string> => programPath('grpcurl', log);

/** The path of k6; builds it when it is missing. */
export const k6Path = (log?: Log): Promise<string> => programPath('k6', log);

/** The path of connectconformance; builds it when it is missing. */
export const connectconformancePath = (log?: Log): Promise<string> => programPath('connectconformance', log);

async function programPath(name: ArtefactName, log: Log | undefined): Promise<string> {
  await build({ only: [name], ...(log && { log }) });
  return join(artefactDir(name), 'bin', name);
}
