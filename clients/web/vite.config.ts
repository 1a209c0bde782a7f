import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** Writes each file compressed beside itself, so that the server only picks, and prints what a browser loads. */
function compressed(): Plugin {
  let dir = '';
  return {
    name: 'parley-compressed',
    apply: 'build',
    configResolved: config => void (dir = join(config.root, config.build.outDir)),
    closeBundle() {
      const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter(f => /\.(js|css|svg)$/.test(f));
      let total = 0;
      for (const file of files) {
        const bytes = readFileSync(join(dir, file));
        const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
        const small = brotliCompressSync(bytes, { params });
        writeFileSync(join(dir, `${file}.br`), small);
        writeFileSync(join(dir, `${file}.gz`), gzipSync(bytes, { level: 9 }));
        total += small.length;
      }
      console.log(`${files.length} files, ${(total / 1024).toFixed(1)} KiB with Brotli`);
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  // replaced by the server with another value for each answer (services/parley/src/web-client.ts)
  html: { cspNonce: 'PARLEY-CSP-NONCE' },
  build: {
    target: 'es2023',
    sourcemap: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      // `use client` of the component library means nothing here
      onLog: (level, log, handler) => void (log.code === 'MODULE_LEVEL_DIRECTIVE' || handler(level, log)),
    },
  },
  plugins: [compressed()],
});
