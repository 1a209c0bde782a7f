import type { Module } from '@parley/runtime';
import type { MountedService } from './service.ts';

/** What every service's `createX(config, deps)` returns: a life cycle and the services to mount. */
export interface ServiceModule extends Module {
  readonly services: readonly MountedService[];
}
