/** Time of the store: one for all replicas, however far their clocks are apart. */
export interface Time {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
}
