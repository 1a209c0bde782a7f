import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readHaproxyPlan, renderHaproxy } from './haproxy.ts';

const replica = { target: 'im', host: 'im-1.hospital.example', publicPort: 7380, grpcPort: 7390, adminPort: 7399 };
const plan = { publicBind: ':443', grpcBind: ':7390', replicas: [replica] };
const read = (value: unknown) => readHaproxyPlan(JSON.stringify(value));

describe('the plan of a load balancer', () => {
  it('becomes a configuration with a server for each replica, which is asked once', () => {
    const text = renderHaproxy(read({ ...plan, replicas: [replica, { ...replica, host: '10.0.0.2' }] }));
    assert.match(
      text,
      /backend im-web\n.*\n.*\n {2}server im1 im-1\.hospital\.example:7380 check .*\n {2}server im2 10/,
    );
    assert.match(text, /server im2 10\.0\.0\.2:7390 proto h2 track im-web\/im2/);
    assert.match(text, /^ {2}maxconn 100000$/m);
    assert.doesNotMatch(text, /resolvers/);
  });

  it('sends calls to replicas that are not ready rather than to nobody', () => {
    const text = renderHaproxy(read({ ...plan, replicas: [replica, { ...replica, host: '10.0.0.2' }] }));
    assert.match(
      text,
      /\n {2}option allbackups\n {2}server im1-unready im-1\.hospital\.example:7380 backup\n {2}server im2-unready 10/,
    );
    assert.match(text, /server im2-unready 10\.0\.0\.2:7390 proto h2 backup\n/);
    const named = renderHaproxy(read({ ...plan, replicas: [{ ...replica, atMost: 10 }] }));
    assert.match(named, /server-template im1-unready- 10 im-1\.hospital\.example:7380 backup resolvers names/);
  });

  it('looks names up again where one leads to many replicas', () => {
    const named = { ...replica, host: 'im.hospital.example', atMost: 10 };
    const text = renderHaproxy(read({ ...plan, replicas: [named] }));
    assert.match(text, /server-template im1- 10 im\.hospital\.example:7380 check .* resolvers names init-addr none/);
    assert.match(text, /server-template im1- 10 im\.hospital\.example:7390 proto h2 check .* resolvers names/);
    assert.match(text, /^resolvers names\n {2}parse-resolv-conf$/m);
    assert.match(
      renderHaproxy(read({ ...plan, nameServers: ['10.0.0.10:53'], replicas: [named] })),
      /^resolvers names\n {2}nameserver n1 10\.0\.0\.10:53$/m,
    );
  });

  it('is refused with each field that is wrong', () => {
    assert.throws(() => readHaproxyPlan('{'), /the plan is no JSON/);
    assert.throws(() => read({ ...plan, replicas: [] }), /replicas: /);
    assert.throws(() => read({ ...plan, maxConnection: 5 }), /maxConnection/);
    assert.throws(
      () => read({ ...plan, replicas: [{ ...replica, adminPort: 0, target: 'ims' }] }),
      /replicas\.0\.target: .*; replicas\.0\.adminPort: /,
    );
    assert.throws(() => read({ ...plan, publicBind: ':443\n  stats enable' }), /publicBind: letters, digits/);
  });
});
