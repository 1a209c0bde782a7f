import type { EventLog, LogRecord } from '@parley/event-log';
import { endSpan, extractTrace, startSpan } from '@parley/rpc';

const attributes = (topic: string) => ({ 'messaging.system': 'log', 'messaging.destination.name': topic });

/** Spans of those records that belong to a trace; `work` is done in all of them. */
async function within<R extends { readonly headers?: Readonly<Record<string, string>> }, T>(
  name: string,
  topic: string,
  kind: 'producer' | 'consumer',
  records: readonly R[],
  work: (records: readonly R[]) => Promise<T>,
): Promise<T> {
  const spans: ReturnType<typeof startSpan>['span'][] = [];
  const traced = records.map(record => {
    const parent = extractTrace(record.headers);
    if (parent === undefined) return record;
    const { span, traceparent } = startSpan(name, parent, attributes(topic), kind);
    spans.push(span);
    return { ...record, headers: { ...record.headers, ...(traceparent && { traceparent }) } };
  });
  try {
    const result = await work(spans.length > 0 ? traced : records);
    for (const span of spans) endSpan(span);
    return result;
  } catch (error) {
    for (const span of spans) endSpan(span, error);
    throw error;
  }
}

/** A log whose records that belong to a trace show in it: until they are durable, and while they are handled. */
export function tracedEventLog(log: EventLog): EventLog {
  return {
    epoch: () => log.epoch(),
    createTopics: topics => log.createTopics(topics),
    append: (topic, records, options) =>
      within(`log append ${topic}`, topic, 'producer', records, traced => log.append(topic, traced, options)),
    consume: (topic, group, handler, options) =>
      log.consume(
        topic,
        group,
        batch =>
          within<LogRecord, void>(`log handle ${topic} by ${group}`, topic, 'consumer', batch.records, records =>
            handler({ ...batch, records }),
          ),
        options,
      ),
    trim: (topic, partition, offset) => log.trim(topic, partition, offset),
    ends: topic => log.ends(topic),
    read: (topic, partition, from, limit) => log.read(topic, partition, from, limit),
    committed: (topic, group) => log.committed(topic, group),
    rewind: (topic, group) => log.rewind(topic, group),
    get connected() {
      return log.connected;
    },
    close: () => log.close(),
  };
}
