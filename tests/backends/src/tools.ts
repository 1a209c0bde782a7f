/** Commands of the machine: found, or installed as Debian packages, or refused with a sentence that says what to do. */
import { spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Where progress goes, one line at a time. */
export type Log = (line: string) => void;

/** Writes progress to standard error. */
export const stderrLog: Log = line => void process.stderr.write(`${line}\n`);

/** Commands and the Debian package that brings each; `undefined` means no package is new enough. */
export const PACKAGES = {
  apt: 'apt',
  debootstrap: 'debootstrap',
  flock: 'util-linux',
  gcc: 'build-essential',
  go: undefined,
  haproxy: 'haproxy',
  java: 'default-jre-headless',
  mvn: 'maven',
  setpriv: 'util-linux',
  unshare: 'util-linux',
} as const;

/** A command this folder knows how to get. */
export type Tool = keyof typeof PACKAGES;

/** The full path of a command, looked up in PATH and in the system directories that a user's PATH may lack. */
export function which(command: string): string | undefined {
  for (const dir of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/go/bin']) {
    const path = join(dir, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

/** The full path of a command that must be there; an error names the package. */
export function need(tool: Tool): string {
  const path = which(tool);
  if (path !== undefined) return path;
  const name = PACKAGES[tool];
  throw new Error(
    name === undefined
      ? `"${tool}" is not installed; install a current Go toolchain (1.25 or later) and put it into PATH`
      : `"${tool}" is not installed; as root: apt-get install ${name}`,
  );
}

/** Makes sure all commands are there, with apt-get where that is possible. */
export async function ensureTools(tools: readonly Tool[], log: Log, logFile: string): Promise<void> {
  const missing = tools.filter(tool => which(tool) === undefined);
  const packages = [...new Set(missing.map(tool => PACKAGES[tool]))].filter(name => name !== undefined);
  mkdirSync(dirname(logFile), { recursive: true });
  if (packages.length > 0 && process.getuid?.() === 0 && which('apt-get') !== undefined) {
    log(`installing ${packages.join(', ')} for ${missing.join(', ')}`);
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    // One broken third-party source must not stop us: what matters is whether the install works.
    await run(['apt-get', 'update'], { logFile, env }).catch(() => '');
    await run(['apt-get', 'install', '-y', '--no-install-recommends', ...packages], { logFile, env });
  }
  for (const tool of missing) need(tool);
}

/** How `run` runs a command. */
export interface RunOptions {
  /** Everything the command says is appended here. */
  readonly logFile: string;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end; rejects unless it ends with 0, quoting its last lines. Resolves to its standard output. */
export function run(command: readonly string[], options: RunOptions): Promise<string> {
  const [file, ...args] = command;
  if (file === undefined) throw new Error('empty command');
  return new Promise((resolve, reject) => {
    const log = createWriteStream(options.logFile, { flags: 'a' });
    log.write(`\n$ ${command.join(' ')}\n`);
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      log.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => void log.write(chunk));
    child.once('error', error => log.end(() => reject(error)));
    child.once('close', (code, signal) =>
      log.end(() => {
        if (code === 0) resolve(output);
        else reject(new Error(`${file} ended with ${signal ?? `code ${code}`}:\n${tail(options.logFile, 12)}`));
      }),
    );
  });
}

/** The last lines of a file, for error messages; empty when it cannot be read. */
export function tail(file: string, lines: number): string {
  try {
    const all = readFileSync(file, 'utf8').trimEnd().split('\n');
    return all
      .slice(-lines)
      .map(line => `  | ${line}`)
      .join('\n');
  } catch {
    return '';
  }
}
