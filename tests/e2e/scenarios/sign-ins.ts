import assert from 'node:assert/strict';
import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { memoryTokenStore } from '@parley/client';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { AccountState } from '@parley/contracts/directory/v1/person';
import { until } from '@parley/testkit';
import { receives, refused, type Scenario } from '../scenario.ts';

export const signIns: Scenario = {
  name: 'a sign-in outlives its access tokens, ends when it is told to, and ends whole when a refresh token is stolen',
  config: {
    directory: {
      accessTokenLifetimeMs: 8_000,
      refreshGraceMs: 1_000,
      lockoutAttempts: 5,
      signInsPerAddressPerMinute: 100,
    },
    session: { signInCheckMs: 1_000 },
  },
  async run(world) {
    const auth = createClient(AuthService, createGrpcWebTransport({ baseUrl: world.parley.url }));
    const gil = await world.person('Gil');
    const hal = await world.person('Hal');
    const gilDesk = await world.device(gil);
    const started = performance.now();

    // longer than two access tokens live, on one stream
    const before = gilDesk.client.connection.getSnapshot();
    const halDesk = await world.device(hal);
    const sessionBefore = before.phase === 'online' && before.sessionId;
    await until('two lifetimes of an access token', () => performance.now() > started + 17_000, { timeoutMs: 25_000 });
    await halDesk.client.send(gil.id, 'still here?').acknowledged;
    await receives(gilDesk, 'still here?');
    const after = gilDesk.client.connection.getSnapshot();
    assert.equal(after.phase === 'online' && after.sessionId, sessionBefore, 'the stream was renewed, not replaced');

    // wrong password and unknown address are told apart by nothing
    await refused(
      auth.signIn({ address: gil.address, password: 'wrong', deviceLabel: '' }),
      'directory.sign_in_refused',
    );
    await refused(
      auth.signIn({ address: 'nobody@parley.example', password: 'wrong', deviceLabel: '' }),
      'directory.sign_in_refused',
    );
    for (let i = 0; i < 4; i++)
      await refused(
        auth.signIn({ address: gil.address, password: 'wrong', deviceLabel: '' }),
        'directory.sign_in_refused',
      );
    await refused(
      auth.signIn({ address: gil.address, password: gil.password, deviceLabel: '' }),
      'directory.sign_in_locked',
    );
    const { directoryAdmin } = (await world.administrator()).services;
    await directoryAdmin.unlockAccount({ person: gil.id });
    const { tokens } = await auth.signIn({ address: gil.address, password: gil.password, deviceLabel: '' });
    assert.ok(tokens);

    // the predecessor still gets the same successor for a moment; later it is theft
    const second = await auth.refresh({ refreshToken: tokens.refreshToken });
    const twin = await auth.refresh({ refreshToken: tokens.refreshToken });
    assert.equal(twin.tokens?.refreshToken, second.tokens?.refreshToken);
    await until('the grace to pass', () =>
      auth.refresh({ refreshToken: tokens.refreshToken }).then(
        () => false,
        () => true,
      ),
    );
    await refused(auth.refresh({ refreshToken: second.tokens?.refreshToken ?? '' }), 'directory.refresh_reused');

    // disabling ends the stream, and nobody signs in
    await directoryAdmin.setAccountState({ person: hal.address, state: AccountState.DISABLED });
    await until(
      'the stream of a disabled person to end',
      () => halDesk.client.connection.getSnapshot().phase === 'ended',
      { timeoutMs: 30_000 },
    );
    await refused(
      auth.signIn({ address: hal.address, password: hal.password, deviceLabel: '' }),
      'directory.sign_in_refused',
    );
    await refused(gilDesk.client.send(hal.id, 'are you there?').acknowledged, 'im.recipient_disabled');
    await directoryAdmin.setAccountState({ person: hal.address, state: AccountState.ENABLED });

    // signing out ends the sign-in everywhere it is used
    const shared = memoryTokenStore();
    const one = await world.device(hal, { tokens: shared });
    await one.client.signOut();
    await refused(one.client.connect(), 'client.signed_out');
  },
};
