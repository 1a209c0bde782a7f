import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseDeb822, parseList, pickMirror } from './debian.ts';
import { backendEnv, wanted } from './index.ts';
import { formatProperties, kafkaProperties } from './kafka.ts';
import { artefactKey, cacheRoot } from './versions.ts';
import { encodeApiVersions, encodeBson, encodeOpMsg, saysOk } from './wire.ts';

describe('apt sources', () => {
  it('are read in the one-line format, with options and comments', () => {
    const text =
      '# deb x y z\ndeb [signed-by=/k arch=amd64] http://mirror.test/debian bookworm main\ndeb-src http://a b c\n';
    assert.deepEqual(parseList(text), [{ uri: 'http://mirror.test/debian', suites: ['bookworm'] }]);
  });

  it('are read in the deb822 format, with folded fields and disabled stanzas', () => {
    const text = [
      'Types: deb deb-src\n# note\nURIs: http://mirror.test/debian\nSuites: bookworm\n bookworm-updates\nComponents: main',
      'Enabled: no\nTypes: deb\nURIs: http://other.test\nSuites: bookworm',
    ].join('\n\n');
    assert.deepEqual(parseDeb822(text), [
      { uri: 'http://mirror.test/debian', suites: ['bookworm', 'bookworm-updates'] },
    ]);
  });

  it("give the mirror of the release itself, not the security or a vendor's one", () => {
    const sources = [
      { uri: 'http://security.test', suites: ['bookworm-security'] },
      { uri: 'http://mirror.test/debian', suites: ['bookworm', 'bookworm-updates'] },
    ];
    assert.equal(pickMirror(sources, 'bookworm'), 'http://mirror.test/debian');
    assert.equal(pickMirror(sources, 'trixie'), undefined);
  });
});

describe('wire encodings', () => {
  it('encode a BSON document of strings and integers', () => {
    assert.equal(encodeBson({ hello: 1 }).toString('hex'), '100000001068656c6c6f000100000000');
    assert.equal(encodeBson({ a: 'b' }).toString('hex'), '0e00000002610002000000620000');
  });

  it('frame an OP_MSG with its length, request id and op code', () => {
    const message = encodeOpMsg(5, { hello: 1, $db: 'admin' });
    assert.deepEqual(
      [0, 4, 8, 12, 16].map(at => message.readInt32LE(at)),
      [message.length, 5, 0, 2013, 0],
    );
  });

  it('recognise ok: 1 and nothing else', () => {
    const answer = (ok: string): Buffer => Buffer.from(`01${Buffer.from('ok\0').toString('hex')}${ok}`, 'hex');
    assert.equal(saysOk(answer('000000000000f03f')), true);
    assert.equal(saysOk(answer('0000000000000000')), false);
  });

  it('frame a Kafka ApiVersions request', () => {
    assert.equal(encodeApiVersions(7, 'ab').toString('hex'), '0000000c001200000000000700026162');
  });
});

describe('Kafka properties', () => {
  it('never create topics by themselves, and can be replaced by a test', () => {
    const properties = kafkaProperties({ broker: 1, controller: 2 }, '/d', { 'log.retention.ms': '5' });
    assert.equal(properties['auto.create.topics.enable'], 'false');
    assert.equal(properties['log.retention.ms'], '5');
    assert.equal(properties['controller.quorum.voters'], '1@127.0.0.1:2');
  });

  it('are written so that Java reads the same values back', () => {
    assert.equal(formatProperties({ a: 'x\\y', b: '1\n2' }), 'a=x\\\\y\nb=1\\n\\\n2\n');
  });
});

describe('options', () => {
  it('mean all servers when none is named, and otherwise only those named', () => {
    assert.deepEqual(wanted({}), ['nats', 'kafka', 'mongo']);
    assert.deepEqual(wanted({ kafka: true }), ['kafka']);
    assert.deepEqual(wanted({ nats: {}, kafka: false }), ['nats']);
    assert.deepEqual(wanted({ kafka: false }), []);
  });

  it('become environment variables only for servers that run', () => {
    assert.deepEqual(backendEnv({}), {});
  });
});

describe('cache keys', () => {
  it('carry the version, and a digest where there are recipe files', () => {
    assert.match(artefactKey('nats'), /^nats-[\d.]+$/);
    assert.match(artefactKey('ferretdb'), /^ferretdb-[\d.]+-[0-9a-f]{8}$/);
    assert.equal(cacheRoot({ XDG_CACHE_HOME: '/x' }), '/x/parley/backends');
  });
});
