/** Where the events of one stream go. */
export interface Outlet {
  /** The same bytes may go to many outlets; nobody changes them afterwards. */
  sendEncoded(event: Uint8Array): void;
  /** Bytes the client has not taken yet. */
  readonly queuedBytes: number;
  /** Calls `listener` each time the queue becomes empty. */
  onDrain(listener: () => void): void;
}
