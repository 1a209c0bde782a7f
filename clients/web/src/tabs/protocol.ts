import type { Change } from './shared-store.ts';

/** Grows when tabs of different versions would no longer understand each other. */
export const PROTOCOL = 1;

/** A refusal as it travels between tabs. */
export interface Refusal {
  /** Stable code of the error catalogue, for example `im.text_too_long`. */
  readonly code: string;
  /** Values that the text of the code names. */
  readonly params: Readonly<Record<string, string>>;
  readonly retryAfterMs?: number;
  /** To be quoted to an administrator. */
  readonly requestId?: string;
}

/** What tabs say to each other. `v` is {@link PROTOCOL} of the tab that speaks, `from` its id. */
export type TabMessage = { readonly v: number; readonly from: string } & (
  | { readonly t: 'hello' }
  /** Everything the leader knows: to one tab, or to all when the leader is new. */
  | { readonly t: 'state'; readonly to?: string; readonly seq: number; readonly entries: [string, unknown][] }
  /** What changed since `seq - 1`. */
  | { readonly t: 'patch'; readonly seq: number; readonly changes: readonly Change[] }
  | { readonly t: 'call'; readonly to: string; readonly id: string; readonly method: string; readonly args: unknown[] }
  /** The leader has the call; its outcome follows. */
  | { readonly t: 'taken'; readonly to: string; readonly id: string }
  | { readonly t: 'done'; readonly to: string; readonly id: string; readonly value: unknown }
  | { readonly t: 'refused'; readonly to: string; readonly id: string; readonly refusal: Refusal }
  /** Something the leader may want to know. */
  | { readonly t: 'note'; readonly value: unknown }
);

/** Why a call to the leading tab failed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }

  get code(): string {
    return this.refusal.code;
  }
}
