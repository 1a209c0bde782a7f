import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { until } from '@parley/testkit';
import { parleyctl } from '../parleyctl.ts';
import { receives, type Scenario } from '../scenario.ts';

export const tls: Scenario = {
  name: 'over TLS people talk, and a renewed certificate is taken while their streams stay open',
  tls: true,
  config: { tlsReloadMs: 200, public: { tls: { hstsSeconds: 600 } } },
  async run(world) {
    const { authority, url, grpcTarget, dir, processes, metric } = world.parley;
    assert.ok(authority && url.startsWith('https:'));
    const [mei, tom] = [await world.person('林美玲'), await world.person('Tom')];
    const [desk, phone] = [await world.device(mei), await world.device(tom)];
    await desk.client.send(tom.id, 'before 🔒').acknowledged;
    await receives(phone, 'before 🔒');

    // browsers with HTTP/2 and without, native gRPC, the command line with the authority named
    const session = connectHttp2(url, { ca: authority.ca });
    await once(session, 'connect');
    assert.equal(session.alpnProtocol, 'h2');
    session.close();
    const page = request(`${url}/`, { ca: authority.ca, agent: false });
    page.end();
    const [answer] = await once(page, 'response');
    assert.equal(answer.httpVersion, '1.1');
    assert.equal(answer.headers['strict-transport-security'], 'max-age=600');
    answer.destroy();
    await assert.rejects(fetch(url.replace('https:', 'http:'), { signal: AbortSignal.timeout(5_000) }));
    assert.match(await keySet(grpcTarget, authority.ca), /"keys"/);
    await assert.rejects(keySet(grpcTarget, readFileSync(join(dir, 'server.pem'), 'utf8').replaceAll(/\n./g, '\n/')));
    await signInWithParleyctl(url, mei, authority.caFile);

    // a renewal: every process takes it, and nobody's stream ends
    const phases: string[] = [];
    for (const { client } of [desk, phone])
      client.connection.subscribe(() => phases.push(client.connection.getSnapshot().phase));
    authority.issue('server', { days: 90 });
    const { validToDate } = new X509Certificate(readFileSync(join(dir, 'server.pem')));
    const notAfter = () => metric('parley_tls_certificate_not_after_seconds', { listener: 'grpc' });
    await until('every process to take the renewed certificate', async () => {
      return (await notAfter()) === (validToDate.getTime() / 1000) * processes.length;
    });
    await phone.client.send(mei.id, 'afterwards 🔑').acknowledged;
    await receives(desk, 'afterwards 🔑');
    const late = await world.device(tom);
    await late.client.send(mei.id, 'from a new device').acknowledged;
    await receives(desk, 'from a new device');
    assert.deepEqual(
      phases.filter(phase => phase !== 'online'),
      [],
    );
  },
};

/** The public keys of tokens, by native gRPC. */
function keySet(target: string, ca: string): Promise<string> {
  const { getKeySet: method } = AuthService.method;
  const client = new Client(target.replace('127.0.0.1', 'localhost'), credentials.createSsl(Buffer.from(ca)));
  return new Promise<string>((done, fail) =>
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      () => Buffer.from(toBinary(method.input, { $typeName: method.input.typeName })),
      bytes => fromBinary(method.output, bytes),
      {},
      { deadline: Date.now() + 10_000 },
      (error, response) => (error ? fail(error) : done(response?.jwksJson ?? '')),
    ),
  ).finally(() => client.close());
}

/** Trusts the authority by the variable that Node has for it, and nobody without it. */
async function signInWithParleyctl(
  server: string,
  person: { readonly address: string; readonly password: string },
  caFile: string,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'parley-ctl-'));
  const login = ['login', '--server', server, '--password-stdin', person.address];
  const distrusting = await parleyctl(home, login, `${person.password}\n`);
  assert.notEqual(distrusting.code, 0, distrusting.stdout);
  assert.match(distrusting.stderr, /certificate/i);
  const trusting = { NODE_EXTRA_CA_CERTS: caFile };
  const signedIn = await parleyctl(home, login, `${person.password}\n`, trusting);
  assert.equal(signedIn.code, 0, signedIn.stderr);
  const whoami = await parleyctl(home, ['whoami', '--json'], '', trusting);
  assert.equal(whoami.code, 0, whoami.stderr);
  assert.ok(whoami.stdout.includes(person.address));
  rmSync(home, { recursive: true });
}
