/** What building one artefact looks like, for the files that hold the recipes. */
import type { Tool } from './tools.ts';

/** What a recipe gets: the folder to fill, and a way to name its steps. */
export interface BuildContext {
  readonly dir: string;
  readonly logFile: string;
  /** Runs one named step, timed and reported; an error says which step of which artefact failed. */
  step<T>(name: string, body: () => Promise<T>): Promise<T>;
}

/** A recipe names the commands it needs, fills `dir`, and returns what it built, for the record. */
export interface Recipe {
  readonly tools: readonly Tool[];
  build(context: BuildContext): Promise<Record<string, string>>;
}
