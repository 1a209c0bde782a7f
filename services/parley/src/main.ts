import { exitCodeOf, explain } from './explain.ts';
import { program } from './program.ts';

try {
  await program().parseAsync();
} catch (error) {
  console.error(`parley: ${explain(error)}`);
  // open connections to a pool's servers must not keep a command that has failed
  process.exit(exitCodeOf(error));
}
