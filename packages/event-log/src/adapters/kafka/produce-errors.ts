/** Kafka's answers after which the records are surely not in the log, and another attempt may put them there. */
const UNWRITTEN = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NOT_ENOUGH_REPLICAS',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
]);

/** Answers after which they are not in the log and no attempt will help. */
const FINAL = new Set([
  'CORRUPT_MESSAGE',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'POLICY_VIOLATION',
]);

/** What an answer to a produce request means for the records. */
export type ProduceVerdict = 'retry' | 'refused' | 'unknown';

/** Whatever is in neither list, as REQUEST_TIMED_OUT or NOT_ENOUGH_REPLICAS_AFTER_APPEND, leaves it open. */
export function verdictOn(type: string): ProduceVerdict {
  if (UNWRITTEN.has(type)) return 'retry';
  return FINAL.has(type) ? 'refused' : 'unknown';
}
