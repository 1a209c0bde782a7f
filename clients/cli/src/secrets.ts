import { readFileSync } from 'node:fs';
import { UsageError } from './exit-codes.ts';
import type { Input, Io } from './io.ts';

/** Where a secret may come from, first to last. Never from an argument: others on the machine can read those. */
export interface SecretSource {
  /** What it is called when asked for. */
  readonly prompt: string;
  /** Asks twice, for something that is to be remembered. */
  readonly confirm?: boolean;
  /** Line of standard input that holds it, if standard input was named as the source. */
  readonly stdinLine?: number;
  /** A file that holds it. */
  readonly file?: string | undefined;
  /** Environment variable that holds it; with `_FILE` added, one that names a file. */
  readonly variable: string;
}

/** Reads secrets for one run of a command. */
export interface Secrets {
  read(source: SecretSource): Promise<string>;
  /** Whether a person can be asked. */
  readonly canAsk: boolean;
}

export function createSecrets(io: Io): Secrets {
  let lines: Promise<readonly string[]> | undefined;
  const canAsk = io.stdin.isTTY === true;

  return {
    canAsk,
    async read({ prompt, confirm, stdinLine, file, variable }) {
      if (stdinLine !== undefined) {
        lines ??= readLines(io.stdin);
        return present((await lines)[stdinLine], `line ${stdinLine + 1} of standard input`);
      }
      if (file !== undefined) return present(firstLine(file), file);
      const value = io.env[variable];
      if (value) return value;
      const named = io.env[`${variable}_FILE`];
      if (named) return present(firstLine(named), named);
      if (!canAsk)
        throw new UsageError(
          `there is no terminal to ask for: ${prompt}`,
          `Give it with --password-stdin, --password-file FILE, ${variable} or ${variable}_FILE.`,
        );
      for (;;) {
        const secret = await ask(io, `${prompt}: `);
        if (!confirm || secret === (await ask(io, `${prompt} again: `))) return present(secret, 'what you typed');
        io.stderr.write('These two were not the same; once more.\n');
      }
    },
  };
}

function present(secret: string | undefined, where: string): string {
  if (!secret) throw new UsageError(`there is no password in ${where}`);
  return secret;
}

function firstLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] as string;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  }
}

async function readLines(input: Input): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk as Buffer));
  return Buffer.concat(chunks).toString('utf8').split(/\r?\n/);
}

/** Asks on the terminal without showing what is typed. */
function ask({ stdin, stderr, interrupted }: Io, prompt: string): Promise<string> {
  stdin.setRawMode?.(true); // before the prompt: whoever is quick must not see what he types
  stderr.write(prompt);
  stdin.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    let typed: string[] = [];
    const done = (error?: Error) => {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      interrupted.removeEventListener('abort', onAbort);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write('\n');
      if (error) reject(error);
      else resolve(typed.join(''));
    };
    const stop = () => done(new DOMException('interrupted', 'AbortError'));
    const onEnd = () => stop();
    const onAbort = () => stop();
    const onData = (text: string) => {
      for (const character of text) {
        if (character === '\r' || character === '\n') return done();
        if (character === '\u0003' || character === '\u0004') return stop();
        if (character === '\u007f' || character === '\b') typed.pop();
        else if (character === '\u0015') typed = [];
        else if (character >= ' ') typed.push(character);
      }
    };
    stdin.on('data', onData);
    stdin.on('end', onEnd);
    interrupted.addEventListener('abort', onAbort, { once: true });
    stdin.resume();
  });
}
