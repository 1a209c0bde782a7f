export * from './clock.ts';
export * from './create-logger.ts';
export * from './create-metrics.ts';
export * from './health.ts';
export * from './ids.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './module.ts';
