/** How a command ended: code of the refusal or empty, and the field at fault or empty. */
export interface CommandOutcome {
  readonly code: string;
  readonly field: string;
}

/** Carried out. */
export const DONE: CommandOutcome = { code: '', field: '' };
/** Begun, and not yet ended. */
export const RUNNING: CommandOutcome = { code: '-', field: '' };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `text` is a UUID (RFC 9562), in either case. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/**
 * Outcomes of the last commands of a session, so that a repeated command is answered and not carried out again. Ids
 * are kept as 16 bytes, and room is taken as it is needed: 4 commands at first, `limit` at most.
 */
export class CommandMemory {
  readonly #limit: number;
  #ids = new Uint32Array(16);
  #outcomes: CommandOutcome[] = [];
  #at = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Outcome of the command with this UUID, if it is among the last ones. */
  find(id: string): CommandOutcome | undefined {
    const at = this.#indexOf(words(id));
    return at < 0 ? undefined : this.#outcomes[at];
  }

  /** Remembers an outcome, instead of an earlier one of the same command. */
  remember(id: string, outcome: CommandOutcome): void {
    const key = words(id);
    const known = this.#indexOf(key);
    if (known >= 0) {
      this.#outcomes[known] = outcome;
      return;
    }
    const at = this.#at;
    if (at * 4 >= this.#ids.length) {
      const grown = new Uint32Array(Math.min(this.#limit * 4, this.#ids.length * 2));
      grown.set(this.#ids);
      this.#ids = grown;
    }
    this.#ids.set(key, at * 4);
    this.#outcomes[at] = outcome;
    this.#at = (at + 1) % this.#limit;
  }

  #indexOf(key: readonly number[]): number {
    const ids = this.#ids;
    const [a, b, c, d] = key;
    for (let i = 0; i < this.#outcomes.length; i++) {
      const at = i * 4;
      if (ids[at] === a && ids[at + 1] === b && ids[at + 2] === c && ids[at + 3] === d) return i;
    }
    return -1;
  }
}

function words(id: string): readonly number[] {
  const hex = id.replaceAll('-', '');
  return [0, 8, 16, 24].map(from => Number.parseInt(hex.slice(from, from + 8), 16));
}
