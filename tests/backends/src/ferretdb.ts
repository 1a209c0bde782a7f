/** The MongoDB wire: FerretDB in front of PostgreSQL with the DocumentDB extension, the latter out of a Debian root. */
import { existsSync, readFileSync } from 'node:fs';
import { chown, copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror } from './debian.ts';
import { HOST } from './net.ts';
import type { Recipe } from './recipe.ts';
import type { RunContext } from './run.ts';
import { type BackendHandle, createServerProcess, type Server } from './server.ts';
import { need, run } from './tools.ts';
import { artefactDir, recipeDir, VERSIONS } from './versions.ts';
import { mongoAnswers } from './wire.ts';

/** What a test may change. */
export interface MongoOptions {
  /** PostgreSQL settings, e.g. `{ shared_buffers: "512MB" }`. */
  readonly postgres?: Readonly<Record<string, string>>;
}

/** A running document database: both processes together, and each alone for finer faults. */
export interface MongoBackend extends BackendHandle {
  /** `mongodb://127.0.0.1:PORT/` */
  readonly url: string;
  /** The wire front only: connections break, nothing stored is touched. */
  readonly front: BackendHandle;
  /** The database only: the front keeps its clients and reports errors, after a restart for about a second more. */
  readonly database: BackendHandle;
}

const SUITE = 'sid';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** How the front is built: our own main around the embeddable package, with pinned sums. */
export const buildFerretdb: Recipe = {
  tools: ['go'],
  async build({ dir, logFile, step }) {
    const source = recipeDir('ferretdb');
    const env = { GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
    const command = [need('go'), 'build', '-buildvcs=false', '-o', join(dir, 'bin', 'ferretdb'), '.'];
    await step('go build', () => run(command, { logFile, cwd: source, env }));
    return { module: `github.com/FerretDB/FerretDB/v2@v${VERSIONS.ferretdb}` };
  },
};

/** How the database is built: a minimal Debian root with the extension, and a data directory to copy. */
export const buildDocumentdb: Recipe = {
  tools: ['debootstrap', 'unshare', 'setpriv'],
  async build({ dir, logFile, step }) {
    if (process.getuid?.() !== 0) throw new Error('the MongoDB backend needs root: debootstrap, mount and chroot');
    const root = join(dir, 'root');
    const mirror = debianMirror();
    const include = `--include=postgresql-${VERSIONS.documentdb}-documentdb`;
    if (!existsSync(KEYRING)) throw new Error(`${KEYRING} is missing; as root: apt-get install debian-archive-keyring`);
    const bootstrap = [need('debootstrap'), '--variant=minbase', `--keyring=${KEYRING}`, include, SUITE, root, mirror];
    // In namespaces of its own: whatever it mounts, or leaves running when it is interrupted, goes away with it.
    const isolated = [...namespaces(), '--mount-proc', ...bootstrap];
    await step(`debootstrap ${SUITE} (minutes)`, () => run(isolated, { logFile }));
    await mkdir(join(root, 'srv', 'postgresql'), { recursive: true });
    await copyFile(join(recipeDir('documentdb'), 'template.sh'), join(root, 'srv', 'template.sh'));
    await mkdir(join(dir, 'template'));
    await giveToPostgres(root, join(dir, 'template'));
    const init = inRoot(root, join(dir, 'template'), ['sh', '/srv/template.sh']);
    await step('initdb and CREATE EXTENSION', () => run(init, { logFile }));
    const packages = ['postgresql-18', 'postgresql-18-documentdb'];
    const format = ['-W', '-f', '${Package} ${Version}\\n'];
    const listed = await run(['dpkg-query', `--admindir=${join(root, 'var/lib/dpkg')}`, ...format, ...packages], {
      logFile,
    });
    return Object.fromEntries(
      listed
        .trim()
        .split('\n')
        .map(line => line.split(' ') as [string, string]),
    );
  },
};

/** Runs what follows in namespaces of its own; kernel and `unshare` between them kill it when its caller dies. */
function namespaces(): string[] {
  const own = ['--mount', '--pid', '--ipc', '--fork', '--kill-child=KILL', '--propagation', 'private'];
  return [need('setpriv'), '--pdeathsig', 'KILL', '--', need('unshare'), ...own];
}

/** A command run as postgres inside the root, which sees `data` as /srv/postgresql; dies with its caller. */
function inRoot(root: string, data: string, command: readonly string[]): string[] {
  const enter = join(recipeDir('documentdb'), 'enter.sh');
  return [...namespaces(), 'sh', enter, root, data, ...command];
}

async function giveToPostgres(root: string, dir: string): Promise<void> {
  const entry = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync(join(root, 'etc/passwd'), 'utf8'));
  if (entry === null) throw new Error(`no user "postgres" in ${root}`);
  await chown(dir, Number(entry[1]), Number(entry[2]));
}

/** How both are run; the caller starts them. The front reaches the database through its socket, which needs no port. */
export async function prepareMongo(context: RunContext, options: MongoOptions): Promise<Server & MongoBackend> {
  const database = await prepareDatabase(context, options);
  const port = context.port('mongo');
  const state = join(context.dir, 'ferretdb');
  await mkdir(state, { recursive: true });
  const front = createServerProcess({
    ...context.server('ferretdb'),
    // A socket's path may have 107 bytes; relative to the working directory it is always short enough.
    cwd: join(context.dir, 'postgres'),
    command: [
      join(artefactDir('ferretdb'), 'bin', 'ferretdb'),
      'postgres://postgres@/postgres?host=/proc/self/cwd',
      `${HOST}:${port}`,
      state,
    ],
    env: { DO_NOT_TRACK: '1' },
    ready: () => mongoAnswers(port),
    stopSignal: 'SIGTERM',
  });
  const both = stack(database, front);
  return { ...both, url: `mongodb://${HOST}:${port}/`, front, database };
}

async function prepareDatabase(context: RunContext, options: MongoOptions): Promise<Server> {
  const artefact = artefactDir('documentdb');
  const home = join(context.dir, 'postgres');
  if (!existsSync(join(home, 'data'))) {
    const copy = ['cp', '-a', '--reflink=auto', join(artefact, 'template'), home];
    await run(copy, { logFile: context.server('postgres').logFile });
  }
  const settings = Object.entries(options.postgres ?? {}).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
  const postgres = ['/usr/lib/postgresql/18/bin/postgres', '-D', '/srv/postgresql/data', ...settings];
  return createServerProcess({
    ...context.server('postgres'),
    command: inRoot(join(artefact, 'root'), home, postgres),
    ready: printed => printed.includes('database system is ready to accept connections'),
    stopSignal: 'SIGINT',
    wrapped: true,
  });
}

/** Two servers as one: the lower one starts first and stops last. */
function stack(lower: Server, upper: Server): Server {
  const stop = async (): Promise<void> => {
    await upper.stop();
    await lower.stop();
  };
  const start = async (): Promise<void> => {
    await lower.start();
    await upper.start();
  };
  return {
    logFile: upper.logFile,
    start,
    stop,
    restart: () => stop().then(start),
    kill: async () => void (await Promise.all([upper.kill(), lower.kill()])),
    killNow: () => [upper, lower].forEach(server => server.killNow()),
    pids: () => [...upper.pids(), ...lower.pids()],
    pause: () => [upper, lower].forEach(server => server.pause()),
    resume: () => [lower, upper].forEach(server => server.resume()),
  };
}
