/** A record as it stands in the log. */
export interface LogEntry {
  readonly offset: number;
  readonly value: Uint8Array;
}

export interface Ends {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** The log that is archived. */
export interface ArchiveLog {
  readonly topic: string;
  epoch(): Promise<number>;
  ends(): Promise<readonly Ends[]>;
  /** Next offset to be handled by a group, by partition. */
  committed(group: string): Promise<ReadonlyMap<number, number>>;
  read(partition: number, from: number, limit: number): Promise<readonly LogEntry[]>;
  trim(partition: number, below: number): Promise<void>;
}
