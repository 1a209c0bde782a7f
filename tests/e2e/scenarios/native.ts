import assert from 'node:assert/strict';
import {
  create,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { Client, credentials, Metadata } from '@grpc/grpc-js';
import { ArchiveService } from '@parley/contracts/archive/v1/archive';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { DirectoryInternalService } from '@parley/contracts/directory/v1/internal';
import { ImService } from '@parley/contracts/im/v1/im';
import { PresenceService } from '@parley/contracts/presence/v1/presence';
import { type SessionEvent, SessionService } from '@parley/contracts/session/v1/session';
import { until } from '@parley/testkit';
import type { Scenario } from '../scenario.ts';

const pathOf = (method: DescMethod) => `/${method.parent.typeName}/${method.name}`;
const encoder = (method: DescMethod) => (message: unknown) => Buffer.from(toBinary(method.input, message as never));
const decoder = (method: DescMethod) => (bytes: Buffer) => fromBinary(method.output, bytes) as never;

export const native: Scenario = {
  name: 'a native gRPC client reaches every service at one address: calls, refusals and the stream',
  async run(world) {
    const ana = await world.person('Ana');
    const ben = await world.person('Ben');
    const client = new Client(world.parley.grpcTarget, credentials.createInsecure());
    const metadata = new Metadata();
    const call = <M extends DescMethod>(method: M, request: MessageInitShape<M['input']>) =>
      new Promise<MessageShape<M['output']>>((resolve, reject) => {
        const message = create(method.input, request as never);
        client.makeUnaryRequest<unknown, MessageShape<M['output']>>(
          pathOf(method),
          encoder(method),
          decoder(method),
          message,
          metadata,
          { deadline: Date.now() + 10_000 },
          (error, answer) => (error ? reject(error) : resolve(answer as MessageShape<M['output']>)),
        );
      });
    const refused = (status: number) => (error: { code?: number }) => error.code === status;
    try {
      await assert.rejects(call(DirectoryService.method.getMe, {}), refused(16));
      const { tokens } = await call(AuthService.method.signIn, { address: ana.address, password: ana.password });
      metadata.set('authorization', `Bearer ${tokens?.accessToken}`);
      assert.equal((await call(DirectoryService.method.getMe, {})).person?.id, ana.id);
      assert.equal((await call(PresenceService.method.getPresence, { personIds: [ben.id] })).views.length, 1);
      await assert.rejects(call(ArchiveService.method.getStatus, {}), refused(7));
      await assert.rejects(call(DirectoryInternalService.method.getPrincipals, { ids: [ben.id] }));

      const { connect } = SessionService.method;
      const request = create(connect.input, {
        endpointId: 'native-client',
        clientVersion: 'native/1.0.0',
        device: 1,
        machineState: 1,
        watchPersonIds: [ben.id],
      });
      const events: SessionEvent['event'][] = [];
      const stream = client.makeServerStreamRequest<unknown, SessionEvent>(
        pathOf(connect),
        encoder(connect),
        decoder(connect),
        request,
        metadata,
      );
      stream.on('data', (message: SessionEvent) => events.push(message.event));
      stream.on('error', () => undefined);
      await until('the stream to be open', () => events.some(e => e.case === 'connected'));
      const text = '你好 👋';
      const sent = await call(ImService.method.sendMessage, {
        messageId: crypto.randomUUID(),
        recipientId: ben.id,
        content: { text },
      });
      await until('the message to come back on the stream', () =>
        events.some(e => e.case === 'im' && e.value.id === sent.eventId && e.value.content?.text === text),
      );
      stream.cancel();
    } finally {
      client.close();
    }
  },
};
