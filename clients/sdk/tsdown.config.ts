import { defineConfig } from 'tsdown';

/**
 * The package as it is published: one ES module with its types. The contracts are generated and not published, so they
 * are bundled; protobuf-es and Connect stay dependencies, because applications share their classes with the client.
 */
export default defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  sourcemap: true,
  deps: { alwaysBundle: [/^@parley\/contracts/] },
});
