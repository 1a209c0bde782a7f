export * from './certificates.ts';
export * from './manual-clock.ts';
export * from './parley.ts';
export * from './ports.ts';
export * from './process.ts';
export * from './wait.ts';
