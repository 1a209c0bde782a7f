import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreError } from '@parley/store';
import { parleyConfigSchema } from './config.ts';
import { Explained, explain } from './explain.ts';

const config = parleyConfigSchema.parse({ admin: { host: '10.0.0.9' } });
const failure = (message: string, more: object) => Object.assign(new Error(message), more);
const sqlite = (errcode: number) =>
  new StoreError('store.unavailable', 'cannot open /var/lib/parley/parley.sqlite', {
    cause: failure('sqlite', { errcode, code: 'ERR_SQLITE_ERROR' }),
  });

describe('what goes wrong is explained', () => {
  const cases: readonly [what: string, error: unknown, expected: RegExp][] = [
    [
      'a port that is taken',
      failure('listen EADDRINUSE: address already in use 127.0.0.1:7380', {
        code: 'EADDRINUSE',
        syscall: 'listen',
        port: 7380,
        address: '127.0.0.1',
      }),
      /^port 7380 of 127.0.0.1 is taken by another program; stop that, or set public.port \(PARLEY_PUBLIC_PORT\) to a free one$/,
    ],
    [
      'a port that is taken, as the gRPC library says it',
      new Error(
        'No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use 127.0.0.1:7390]',
      ),
      /^port 7390 .* set grpc.port \(PARLEY_GRPC_PORT\)/,
    ],
    [
      'an address of another machine',
      new Error(
        'No address added out of total 1 resolved errors: [listen EADDRNOTAVAIL: address not available 10.0.0.9]',
      ),
      /^10.0.0.9 is no address of this machine; correct admin.host \(PARLEY_ADMIN_HOST\)$/,
    ],
    [
      'a port for root alone',
      failure('listen EACCES: permission denied 0.0.0.0:443', {
        code: 'EACCES',
        syscall: 'listen',
        port: 443,
        address: '0.0.0.0',
      }),
      /^this user may not listen on port 443; .*CAP_NET_BIND_SERVICE$/,
    ],
    [
      'a host that has no address',
      failure('getaddrinfo ENOTFOUND 10.0.0.9', { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'x.example' }),
      /^the host name x.example cannot be resolved; correct the host in the configuration/,
    ],
    [
      'a full disk',
      failure('ENOSPC: no space left on device, write', { code: 'ENOSPC', syscall: 'write' }),
      /^there is no room left on the disk; free some/,
    ],
    [
      'a file of somebody else',
      failure('EACCES: permission denied', { code: 'EACCES', syscall: 'open', path: '/etc/parley/parley.key' }),
      /^\/etc\/parley\/parley.key may not be used by this user; run the command as the owner/,
    ],
    [
      'a file system that is read-only',
      failure('EROFS', { code: 'EROFS', path: '/srv' }),
      /^\/srv lies on a file system/,
    ],
    [
      'a database that is full',
      sqlite(13),
      /^the database \/var\/lib\/parley\/parley.sqlite has no room left on its disk/,
    ],
    ['a database that is damaged', sqlite(11), /is damaged; stop, keep the file, and restore a backup/],
    ['a database that is none', sqlite(26), /is no database; if it was one it is damaged/],
    ['a database that may not be written', sqlite(8 | (1 << 8)), /may not be written by this user/],
    ['a disk with errors', sqlite(10), /cannot be read or written: the disk reports errors/],
    [
      'what says enough itself',
      new Explained('do this', { cause: failure('ENOSPC', { code: 'ENOSPC' }) }),
      /^do this$/,
    ],
    ['the rest by what it says', new Error('anything else', { cause: new Error('deeper') }), /^anything else$/],
  ];
  for (const [what, error, expected] of cases)
    it(what, () => {
      const text = explain(error, config);
      assert.match(text, expected);
      assert.doesNotMatch(text, /\n/);
    });
});
