import { program } from './program.ts';

try {
  await program().parseAsync();
} catch (error) {
  console.error(`parley: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
