import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { DriverConnection } from './driver.ts';

/** What the tests call beside it. */
interface Commands extends DriverConnection {
  command(ns: unknown, command: object, options: object): Promise<unknown>;
}
type Constructor = new (socket: Socket, options: object) => Commands;

const { ns } = createRequire(import.meta.url)('mongodb/lib/utils.js') as { ns(name: string): unknown };

describe("the driver's connection", () => {
  const server = createServer(socket => socket.on('error', () => undefined));
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  async function open(): Promise<Commands> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const options = { id: 1, generation: 0, monitorCommands: false, hostAddress: { toString: () => 'here' } };
    return new (DriverConnection as unknown as Constructor)(socket, options);
  }
  const hello = (connection: Commands) => connection.command(ns('admin.$cmd'), { hello: 1 }, { socketTimeoutMS: 500 });
  const soon = { timeout: 3_000 };

  it('fails a command that was written after its socket ended and before anybody knew', soon, async () => {
    const connection = await open();
    connection.socket.destroy();
    assert.equal(connection.closed, false, 'nobody knows yet');
    await assert.rejects(hello(connection), /closed/);
  });

  it('fails a command that comes to be written when the connection is closed', soon, async () => {
    const connection = await open();
    const answer = hello(connection); // serialised in this turn, written in a later one
    connection.cleanup(new Error('the pool was cleared'));
    await assert.rejects(answer, /the pool was cleared|unexpected error writing/);
  });

  it('fails every command after that with the reason', soon, async () => {
    const connection = await open();
    connection.cleanup(new Error('the pool was cleared'));
    await assert.rejects(hello(connection), /the pool was cleared/);
  });
});
