import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type DescService, getOption, hasOption } from '@bufbuild/protobuf';
import { Audience, access } from '@parley/contracts';
import { CALLS } from './calls.ts';
import { type Import, importsOf, manifestOf, root, sources } from './imports.ts';

const PRODUCT = ['packages/*/src/**/*.ts', 'services/*/src/**/*.ts', 'clients/*/src/**/*.{ts,tsx}'];
const isTest = (file: string) => /\.(test|contract|bench)\.ts$|\/testing\.ts$|\/testing\//.test(file);
const product = sources(...PRODUCT).filter(file => !isTest(file));
const imports = product.flatMap(importsOf);
const show = (found: readonly Import[]) => found.map(i => `${i.from} imports ${i.specifier}`);

/** Rooms of a service and what each may import of its own service. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain', 'errors'],
  ports: ['ports', 'domain', 'errors'],
  app: ['app', 'ports', 'domain', 'errors', 'config', 'events', 'collections'],
  adapters: ['adapters', 'ports', 'domain', 'errors', 'config', 'events', 'collections'],
  rpc: ['rpc', 'app', 'ports', 'domain', 'errors', 'config', 'events'],
  consumers: ['consumers', 'app', 'ports', 'domain', 'errors', 'config', 'events'],
};

function roomOf(file: string): { service: string; room: string } | undefined {
  const match = /^services\/([^/]+)\/src\/([^/]+?)(?:\.ts|\/.*)$/.exec(file);
  return match && match[1] !== 'parley' ? { service: match[1] as string, room: match[2] as string } : undefined;
}

describe('the tree', () => {
  it('has sources to look at', () => {
    assert.ok(product.length > 100, `only ${product.length} source files found`);
    assert.ok(imports.length > 300, `only ${imports.length} imports found`);
  });

  it('lets rooms of a service import one way only', () => {
    const wrong = imports.filter(i => {
      const from = roomOf(i.from);
      const to = i.to === undefined ? undefined : roomOf(i.to);
      const may = from && ROOMS[from.room];
      return may && to && to.service === from.service && !may.includes(to.room);
    });
    assert.deepEqual(show(wrong), []);
  });

  it('keeps domains pure: no I/O, clock, proto types or libraries', () => {
    const wrong = imports.filter(
      i => roomOf(i.from)?.room === 'domain' && i.to === undefined && i.specifier !== 'node:crypto',
    );
    assert.deepEqual(show(wrong), []);
    const impure = product
      .filter(file => roomOf(file)?.room === 'domain')
      .filter(file =>
        /\bawait\b|\bDate\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|process\./.test(stripComments(file)),
      );
    assert.deepEqual(impure, []);
  });

  it('lets no service import another, and no package import a service', () => {
    const names = new Map(
      globSync('services/*/package.json', { cwd: root }).map(path => [
        JSON.parse(readFileSync(join(root, path), 'utf8')).name as string,
        path.split('/')[1],
      ]),
    );
    const wrong = imports.filter(i => {
      const target = i.to?.startsWith('services/')
        ? i.to.split('/')[1]
        : names.get(i.specifier.split('/').slice(0, 2).join('/'));
      if (target === undefined) return false;
      const [area, own] = i.from.split('/');
      return area !== 'services' || (own !== target && own !== 'parley');
    });
    assert.deepEqual(show(wrong), []);
  });

  it('keeps clients apart from servers: they share contracts and formats of files', () => {
    const wrong = imports.filter(
      i => i.from.startsWith('clients/') && /^@parley\/(?!client|contracts|cli|people-file)/.test(i.specifier),
    );
    assert.deepEqual(show(wrong), []);
  });

  it('imports only what the package.json of the importer declares', () => {
    const builtins = new Set(builtinModules);
    const wrong = imports.filter(i => {
      if (i.to !== undefined || i.specifier.startsWith('node:') || builtins.has(i.specifier)) return false;
      const name = i.specifier
        .split('/')
        .slice(0, i.specifier.startsWith('@') ? 2 : 1)
        .join('/');
      const manifest = manifestOf(i.from);
      return name !== manifest.name && !manifest.dependencies.has(name);
    });
    assert.deepEqual(show(wrong), []);
  });

  it('imports nothing across workspaces by path', () => {
    const wrong = imports.filter(
      i => i.to !== undefined && manifestOf(i.from).dir !== i.to.split('/').slice(0, 2).join('/'),
    );
    assert.deepEqual(show(wrong), []);
  });

  it('confines each technology to its adapter', () => {
    const homes: Readonly<Record<string, RegExp>> = {
      kafkajs: /^packages\/event-log\/src\/adapters\/kafka\/kafkajs\.ts$/,
      mongodb: /^packages\/store\/src\/adapters\/mongo\//,
      '@nats-io/': /^packages\/bus\/src\/adapters\/nats/,
      '@grpc/grpc-js': /^packages\/rpc\/src\//,
      'node:sqlite': /^packages\/(store|event-log)\/src\//,
    };
    const wrong = imports.filter(i =>
      Object.entries(homes).some(
        ([name, home]) =>
          i.specifier.startsWith(name) && !home.test(i.from) && !(i.typeOnly && i.specifier === 'node:sqlite'),
      ),
    );
    assert.deepEqual(show(wrong), []);
    const kafka = new Set(imports.filter(i => i.specifier.startsWith('kafkajs')).map(i => i.from));
    assert.ok(kafka.size <= 1, `kafkajs is imported by ${[...kafka].join(', ')}`);
  });

  it('asks for the topology in one file only', () => {
    const asking = product
      .filter(
        file => (file.startsWith('services/') || file.startsWith('packages/')) && !file.startsWith('packages/testkit/'),
      )
      .filter(file => /===?\s*'(standalone|pool)'|'(standalone|pool)'\s*===?/.test(stripComments(file)));
    assert.deepEqual(
      asking,
      asking.filter(file => file === 'services/parley/src/topology.ts'),
    );
  });

  it('gives every service the same rooms', () => {
    for (const service of Object.keys(CALLS)) {
      if (!existsSync(join(root, 'services', service))) continue;
      for (const file of [
        'README.md',
        'src/errors.ts',
        'src/config.ts',
        'src/events.ts',
        'src/module.ts',
        'src/index.ts',
      ]) {
        assert.ok(existsSync(join(root, 'services', service, file)), `services/${service}/${file} is missing`);
      }
      const readme = readFileSync(join(root, 'services', service, 'README.md'), 'utf8').split('\n').length;
      assert.ok(readme <= 61, `services/${service}/README.md has ${readme} lines, more than 60`);
    }
  });

  it('keeps source files under 400 lines', () => {
    const long = product
      .map(file => [file, readFileSync(join(root, file), 'utf8').split('\n').length] as const)
      .filter(([, lines]) => lines > 400);
    assert.deepEqual(long, []);
  });
});

describe('the contracts', async () => {
  const services = await generatedServices();

  it('name audience and roles of every method', () => {
    assert.ok(services.length >= 9);
    const missing = services.flatMap(s =>
      s.methods
        .filter(m => !hasOption(m, access) || getOption(m, access).audience === Audience.UNSPECIFIED)
        .map(m => `${s.typeName}/${m.name}`),
    );
    assert.deepEqual(missing, []);
  });

  it('keep internal methods in internal services, called only along the allowed arrows', () => {
    for (const service of services) {
      const area =
        service.typeName.split('.')[1] === 'archive' ? 'archiving' : (service.typeName.split('.')[1] as string);
      for (const method of service.methods) {
        const { audience, callers } = getOption(method, access);
        assert.equal(
          audience === Audience.SERVICE,
          service.name.includes('Internal'),
          `${service.typeName}/${method.name}`,
        );
        for (const caller of callers)
          assert.ok(CALLS[caller]?.includes(area), `${caller} may not call ${area} (${method.name})`);
      }
    }
  });

  it('draw no circle of calls', () => {
    const visit = (service: string, path: readonly string[]): void => {
      assert.ok(!path.includes(service), `circle: ${[...path, service].join(' -> ')}`);
      for (const callee of CALLS[service] ?? []) visit(callee, [...path, service]);
    };
    for (const service of Object.keys(CALLS)) visit(service, []);
  });
});

function stripComments(file: string): string {
  return readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
}

async function generatedServices(): Promise<DescService[]> {
  const found: DescService[] = [];
  for (const file of globSync('packages/contracts/src/gen/parley/**/*_pb.ts', { cwd: root })) {
    const module = (await import(join(root, file))) as Record<string, { kind?: string }>;
    found.push(...(Object.values(module).filter(value => value?.kind === 'service') as unknown as DescService[]));
  }
  return found;
}
