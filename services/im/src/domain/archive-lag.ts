/** What is known of how far archiving is behind the log. Times are milliseconds of a clock that never goes back. */
export interface ArchiveLag {
  readonly records: number;
  /** Sum of all committed positions; it stands still when archiving does. */
  readonly progress: number;
  /** Since when there is something to archive and nothing was archived; undefined while it moves. */
  readonly stalledSince: number | undefined;
  readonly measuredAt: number;
}

export interface LagLimits {
  readonly records: number;
  readonly stallMs: number;
  readonly staleMs: number;
}

export interface PartitionLag {
  readonly low: number;
  readonly high: number;
  /** Undefined when archiving never committed anything there. */
  readonly committed: number | undefined;
}

export function measureLag(before: ArchiveLag | undefined, parts: readonly PartitionLag[], now: number): ArchiveLag {
  let records = 0;
  let progress = 0;
  for (const part of parts) {
    const position = Math.max(part.committed ?? part.low, part.low);
    records += Math.max(0, part.high - position);
    progress += position;
  }
  const moving = records === 0 || before === undefined || before.records === 0 || progress > before.progress;
  return { records, progress, stalledSince: moving ? undefined : (before.stalledSince ?? now), measuredAt: now };
}

/** Why critical messages must be refused; undefined when the archive keeps up. */
export function lagProblem(
  lag: ArchiveLag | undefined,
  now: number,
  limits: LagLimits,
): 'unmeasured' | 'behind' | 'stalled' | undefined {
  if (lag === undefined || now - lag.measuredAt > limits.staleMs) return 'unmeasured';
  if (lag.records > limits.records) return 'behind';
  return lag.stalledSince !== undefined && now - lag.stalledSince > limits.stallMs ? 'stalled' : undefined;
}
