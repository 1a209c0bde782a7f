import type { Bus } from '@parley/bus';
import { extractTrace, startSpan } from '@parley/rpc';

/** First token of a subject or pattern: the rest names people. */
const kindOf = (subject: string): string => subject.split('.', 1)[0] as string;
const attributes = (token: string) => ({ 'messaging.system': 'bus', 'messaging.destination.name': token });

/** A bus whose messages that belong to a trace show in it, where they are handed over and where they are taken. */
export function tracedBus(bus: Bus): Bus {
  return {
    publish(subject, data, headers) {
      const parent = extractTrace(headers);
      if (parent === undefined) return bus.publish(subject, data, headers);
      const token = kindOf(subject);
      const { span, traceparent } = startSpan(`bus publish ${token}`, parent, attributes(token), 'producer');
      bus.publish(subject, data, { ...headers, ...(traceparent && { traceparent }) });
      span.end();
    },
    subscribe(pattern, handler, options) {
      const token = kindOf(pattern);
      return bus.subscribe(
        pattern,
        message => {
          const parent = extractTrace(message.headers);
          if (parent === undefined) return handler(message);
          const { span, traceparent } = startSpan(`bus receive ${token}`, parent, attributes(token), 'consumer');
          try {
            handler({ ...message, headers: { ...message.headers, ...(traceparent && { traceparent }) } });
          } finally {
            span.end();
          }
        },
        options,
      );
    },
    flush: () => bus.flush(),
    onContinuity: listener => bus.onContinuity(listener),
    get connected() {
      return bus.connected;
    },
    close: () => bus.close(),
  };
}
