import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type ParleyUnderTest, startParley, until } from '@parley/testkit';
import { grpcurlPath } from '../backends/src/index.ts';

const proto = `${import.meta.dirname}/../../proto`;

describe('grpcurl', () => {
  let binary: string;
  let parley: ParleyUnderTest;
  let token: string;
  let somebody: string;
  const children: ChildProcess[] = [];

  before(async () => {
    binary = await grpcurlPath();
    parley = await startParley({ topology: 'standalone' });
  });
  after(async () => {
    for (const child of children) child.kill('SIGKILL');
    await parley?.stop();
  });

  /** Runs grpcurl with flags before the address and words after it; the request comes from standard input. */
  function start(flags: readonly string[], words: readonly string[], request?: object) {
    const data = request === undefined ? [] : ['-d', '@'];
    const child = spawn(binary, ['-plaintext', ...flags, ...data, parley.grpcTarget, ...words]);
    children.push(child);
    child.stdin.end(request === undefined ? '' : JSON.stringify(request));
    return child;
  }
  async function run(flags: readonly string[], words: readonly string[], request?: object) {
    const child = start(flags, words, request);
    const closed = new Promise<number | null>(resolve => {
      child.once('close', resolve);
    });
    const [code, out, err] = await Promise.all([closed, text(child.stdout), text(child.stderr)]);
    return { code, out, err };
  }
  const signIn = ['parley.directory.v1.AuthService/SignIn'];
  const send = ['parley.im.v1.ImService/SendMessage'];
  const files = ['-import-path', proto, '-proto', 'parley/directory/v1/auth.proto'];
  const bearer = () => ['-H', `authorization: Bearer ${token}`];
  const message = (rest: object = {}) => ({
    message_id: crypto.randomUUID(),
    recipient_id: somebody,
    content: { text: '早安 from a shell' },
    ...rest,
  });

  it('signs in with the proto files: reflection needs a token', async () => {
    const { address, password } = parley.administrator;
    const { code, out, err } = await run(files, signIn, { address, password });
    assert.equal(code, 0, err);
    const answer = JSON.parse(out);
    token = answer.tokens.accessToken;
    assert.ok(token.length > 100);
    const reflection = await run([], ['list']);
    assert.notEqual(reflection.code, 0);
    assert.match(reflection.err, /Unauthenticated|a valid bearer token is needed/);
  });

  it('lists and describes what is served, and nothing that is for services', async () => {
    const { out } = await run(bearer(), ['list']);
    const services = out.trim().split('\n');
    for (const name of ['parley.im.v1.ImService', 'parley.session.v1.SessionService', 'grpc.health.v1.Health']) {
      assert.ok(services.includes(name), out);
    }
    assert.deepEqual(
      services.filter(name => /internal/i.test(name)),
      [],
    );
    const hidden = await run(bearer(), ['describe', 'parley.directory.v1.DirectoryInternalService']);
    assert.notEqual(hidden.code, 0);
    const described = await run(bearer(), ['describe', 'parley.im.v1.MessageContent']);
    assert.match(described.out, /message MessageContent \{[^}]*string text = 1/s);
  });

  it('administers', async () => {
    const words = ['parley.directory.v1.DirectoryAdminService/CreatePerson'];
    const request = {
      request_id: crypto.randomUUID(),
      display_name: '陳大文',
      address: 'dawen@parley.example',
      initial_password: `pw-${crypto.randomUUID()}`,
    };
    const { code, out, err } = await run(bearer(), words, request);
    assert.equal(code, 0, err);
    const { person } = JSON.parse(out).account;
    assert.equal(person.displayName, '陳大文');
    somebody = person.id;
  });

  it('sends, and follows the stream of the session', async () => {
    const words = ['parley.session.v1.SessionService/Connect'];
    const stream = start(bearer(), words, { endpoint_id: crypto.randomUUID(), client_version: 'grpcurl/1.9.3' });
    let seen = '';
    createInterface({ input: stream.stdout }).on('line', line => {
      seen += `${line}\n`;
    });
    await until('the stream to begin', () => seen.includes('"connected"'));
    const { code, out, err } = await run(bearer(), send, message());
    assert.equal(code, 0, err);
    const { eventId } = JSON.parse(out);
    await until('the message on the stream', () => seen.includes(eventId) && seen.includes('早安 from a shell'));
    stream.kill('SIGINT');
    await until('the session to end', async () => (await parley.metric('parley_session_open_sessions')) === 0);
  });

  it('shows code, field and values of a refusal', async () => {
    const { code, err } = await run(bearer(), send, message({ content: { text: 'x'.repeat(20_000) } }));
    assert.equal(code, 64 + 8);
    assert.match(err, /Code: ResourceExhausted/);
    assert.match(err, /Message: content\.text: at most [0-9]+ characters/);
    // The details are an ErrorInfo, which grpcurl finds by reflection.
    assert.match(err, /"@type": "type\.googleapis\.com\/parley\.common\.v1\.ErrorInfo"/);
    assert.match(err, /"code": "im\.text_too_long"/);
    assert.match(err, /"field": "content\.text"/);
  });

  it('has its deadline kept', async () => {
    const words = ['parley.session.v1.SessionService/Connect'];
    const request = { endpoint_id: crypto.randomUUID(), client_version: 'grpcurl/1.9.3' };
    const { code, err } = await run([...bearer(), '-max-time', '1'], words, request);
    assert.equal(code, 64 + 4, err);
  });
});
