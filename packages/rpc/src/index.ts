export * from './channel.ts';
export * from './context.ts';
export * from './errors.ts';
export * from './service.ts';
export * from './service-module.ts';
