import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineConfig } from 'tsdown';

interface Manifest {
  readonly [field: string]: unknown;
  readonly dependencies: Readonly<Record<string, string>>;
}

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
  hooks: {
    async 'build:done'({ options: { outDir } }) {
      const here = import.meta.dirname;
      const { name, version, license, type, dependencies } = JSON.parse(
        await readFile(join(here, 'package.json'), 'utf8'),
      ) as Manifest;
      const published = {
        name,
        version,
        license,
        type,
        description: 'Client of Parley for browsers and Node.js: presence and durable instant messages',
        sideEffects: false,
        exports: { '.': { types: './index.d.ts', default: './index.js' } },
        engines: { node: '>=20' },
        dependencies: Object.fromEntries(Object.entries(dependencies).filter(([name]) => !name.startsWith('@parley/'))),
      };
      await writeFile(join(outDir, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
      await copyFile(join(here, 'README.md'), join(outDir, 'README.md'));
      await copyFile(join(here, '../../LICENSE'), join(outDir, 'LICENSE'));
    },
  },
});
