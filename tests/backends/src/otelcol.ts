/** An OpenTelemetry Collector: takes spans by OTLP over HTTP and writes them to a file, one line of JSON an export. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accepts, HOST } from './net.ts';
import { openOwnedRun } from './owned.ts';
import type { Recipe } from './recipe.ts';
import { type BackendHandle, createServerProcess } from './server.ts';
import { type Log, need, run, stderrLog } from './tools.ts';
import { artefactDir, recipeDir, VERSIONS } from './versions.ts';

/** What to run. */
export interface OtelcolOptions {
  /** Who does not show it is refused: `authorization: Bearer …`. */
  readonly bearerToken: string;
  readonly log?: Log;
}

/** A running collector. */
export interface Otelcol extends BackendHandle {
  /** Where spans go: `http://127.0.0.1:PORT/v1/traces` */
  readonly url: string;
  /** What it wrote: each line is an ExportTraceServiceRequest in JSON. https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/ */
  readonly tracesFile: string;
  stop(outcome?: 'clean' | 'failed'): Promise<void>;
}

/** How it is built: a main around the collector's own modules, as its builder writes one, with pinned sums. */
export const buildOtelcol: Recipe = {
  tools: ['go'],
  async build({ dir, logFile, step }) {
    const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
    const flags = ['-buildvcs=false', '-trimpath', '-ldflags', `-s -w -X main.version=${VERSIONS.otelcol}`];
    const command = [need('go'), 'build', ...flags, '-o', join(dir, 'bin', 'otelcol'), '.'];
    await step('go build', () => run(command, { logFile, cwd: recipeDir('otelcol'), env }));
    return { module: `go.opentelemetry.io/collector/otelcol@v${VERSIONS.otelcol}` };
  },
};

/** Starts a collector that is built. */
export async function runOtelcol({ bearerToken, log = stderrLog }: OtelcolOptions): Promise<Otelcol> {
  const owned = await openOwnedRun(['otlp'], log);
  const port = owned.run.port('otlp');
  const config = join(owned.run.dir, 'otelcol.yaml');
  const tracesFile = join(owned.run.dir, 'traces.jsonl');
  return owned.guard(async () => {
    await writeFile(config, JSON.stringify(configOf(port, tracesFile, bearerToken), null, 2));
    const server = createServerProcess({
      ...owned.run.server('otelcol'),
      command: [join(artefactDir('otelcol'), 'bin', 'otelcol'), `--config=file:${config}`],
      ready: async printed => printed.includes('Everything is ready') && (await accepts(port)),
      stopSignal: 'SIGTERM',
      readyTimeoutMs: 20_000,
    });
    owned.add(server);
    await server.start();
    return { ...server, url: `http://${HOST}:${port}/v1/traces`, tracesFile, stop: owned.stop };
  });
}

/** JSON is YAML. */
const configOf = (port: number, path: string, token: string) => ({
  extensions: { bearertokenauth: { token } },
  receivers: {
    otlp: { protocols: { http: { endpoint: `${HOST}:${port}`, auth: { authenticator: 'bearertokenauth' } } } },
  },
  exporters: { file: { path, append: true, flush_interval: '100ms' } },
  service: {
    extensions: ['bearertokenauth'],
    pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
    telemetry: { metrics: { level: 'none' } },
  },
});
