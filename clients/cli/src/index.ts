import { createProgram, ENVIRONMENT } from './program.ts';
import { cliReference as render } from './reference.ts';
import { noShell } from './shell.ts';

export { PROBE_METRICS } from './commands/probe.ts';
export type { Io } from './io.ts';
export { run } from './program.ts';

/** The reference of all commands as Markdown, generated from the commands themselves. */
export const cliReference = (): string => render(createProgram(noShell), ENVIRONMENT);
