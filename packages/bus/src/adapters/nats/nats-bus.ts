import type { Bus } from '../../bus.ts';
import type { NatsBusOptions } from './options.ts';

/**
 * Connects to NATS. Rejects when no connection stands within `connectTimeoutMs`; afterwards it reconnects for ever.
 * Data given to handlers may be kept; data given to `publish` must not be changed afterwards.
 */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  // Not before it is needed: the standalone edition never loads the library.
  const { NatsBus } = await import('./nats-connection.ts');
  const bus = new NatsBus(options);
  await bus.establish(options.clock.monotonic() + (options.connectTimeoutMs ?? 30_000));
  return bus;
}
