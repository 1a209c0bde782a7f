/** grpcurl, for looking at gRPC services from a shell. */
import { join } from 'node:path';
import { build } from './build.ts';
import type { Log } from './tools.ts';
import { artefactDir } from './versions.ts';

/** The path of the built binary; builds it when it is missing. */
export async function grpcurlPath(log?: Log): Promise<string> {
  await build({ only: ['grpcurl'], ...(log && { log }) });
  return join(artefactDir('grpcurl'), 'bin', 'grpcurl');
}
