import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ErrorInfoSchema, StatusSchema } from '@parley/contracts';
import { type ErrorKind, ParleyError } from './errors.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError, errorFromStatus, errorToStatus, kindOfStatus, statusNames, statusOfKind } from './status.ts';

const kinds: Record<ErrorKind, [code: number, name: string]> = {
  cancelled: [1, 'CANCELLED'],
  unknown: [2, 'UNKNOWN'],
  invalid: [3, 'INVALID_ARGUMENT'],
  deadline: [4, 'DEADLINE_EXCEEDED'],
  not_found: [5, 'NOT_FOUND'],
  exists: [6, 'ALREADY_EXISTS'],
  forbidden: [7, 'PERMISSION_DENIED'],
  limit: [8, 'RESOURCE_EXHAUSTED'],
  precondition: [9, 'FAILED_PRECONDITION'],
  conflict: [10, 'ABORTED'],
  unimplemented: [12, 'UNIMPLEMENTED'],
  internal: [13, 'INTERNAL'],
  unavailable: [14, 'UNAVAILABLE'],
  unauthenticated: [16, 'UNAUTHENTICATED'],
};

describe('a refusal on the wire', () => {
  for (const [kind, [code, name]] of Object.entries(kinds)) {
    it(`of kind ${kind} is ${name} and comes back whole`, () => {
      assert.equal(statusOfKind(kind as ErrorKind), code);
      assert.equal(statusNames[code], name);
      assert.equal(kindOfStatus(code), kind);
      const spec = { kind: kind as ErrorKind, message: 'at most {limit} of {what}', remedy: '' };
      const params = { limit: 8, what: '訊息 👋' };
      const error = new ParleyError('area.code', spec, { field: 'a.b', params, retryAfterMs: 1.2 });
      const wire = errorToStatus(error, 'req-1');
      assert.equal(wire.code, code);
      const back = errorFromStatus(wire.code, wire.message, wire.details);
      assert.deepEqual(
        [back.code, back.kind, back.field, back.params, back.retryAfterMs, back.message],
        ['area.code', kind, 'a.b', { limit: '8', what: '訊息 👋' }, 2, 'a.b: at most 8 of 訊息 👋'],
      );
    });
  }

  it('carries the request id and looks like google.rpc.Status', () => {
    const status = fromBinary(StatusSchema, errorToStatus(rpcErrors('rpc.internal'), 'req-1').details);
    assert.equal(status.code, 13);
    assert.equal(status.message, 'an internal error');
    assert.equal(status.details.length, 1);
    const info = fromBinary(ErrorInfoSchema, status.details[0]?.value as Uint8Array);
    assert.deepEqual([info.code, info.requestId, info.retryAfterMs], ['rpc.internal', 'req-1', 0]);
  });

  it('fits into a header whatever it says', () => {
    const spec = { kind: 'limit', message: `${'x'.repeat(2000)}\ud800`, remedy: '' } as const;
    const params = { big: 'y'.repeat(10_000), odd: '\udfff' };
    const wire = errorToStatus(new ParleyError('a.b', spec, { params, field: 'z'.repeat(1000) }), 'r');
    assert.ok(wire.details.length < 4096 + 2048);
    const back = errorFromStatus(wire.code, wire.message, wire.details);
    assert.equal(back.code, 'a.b');
    assert.deepEqual(back.params, {});
  });

  it('without details gets the code that fits its status, and none of the foreign text', () => {
    for (const [code, expected] of [
      [1, 'rpc.cancelled'],
      [2, 'rpc.unknown'],
      [4, 'rpc.deadline_exceeded'],
      [7, 'rpc.permission_denied'],
      [12, 'rpc.unknown_method'],
      [13, 'rpc.internal'],
      [14, 'rpc.unavailable'],
      [16, 'rpc.unauthenticated'],
    ] as const) {
      const error = errorFromStatus(code, 'connect ECONNREFUSED 10.0.0.7:7390', undefined);
      assert.equal(error.code, expected);
      assert.ok(!error.message.includes('10.0.0.7'));
      assert.match(String((error.cause as Error).message), /ECONNREFUSED/);
    }
    assert.equal(errorFromStatus(3, 'bad', undefined).kind, 'invalid');
    assert.equal(errorFromStatus(11, 'bad', undefined).kind, 'invalid');
    assert.equal(errorFromStatus(99, 'bad', undefined).kind, 'unknown');
  });

  it('with details that cannot be read is treated as one without', () => {
    assert.equal(errorFromStatus(14, 'x', new Uint8Array([255, 255])).code, 'rpc.unavailable');
    const other = create(StatusSchema, {
      details: [{ typeUrl: 'type.googleapis.com/other', value: new Uint8Array(3) }],
    });
    assert.equal(errorFromStatus(14, 'x', toBinary(StatusSchema, other)).code, 'rpc.unavailable');
  });

  it('is what handlers throw, or rpc.internal for anything else', () => {
    const refusal = rpcErrors('rpc.malformed', { params: { reason: 'x' } });
    assert.equal(asParleyError(refusal), refusal);
    const cause = new TypeError('x');
    assert.equal(asParleyError(cause).code, 'rpc.internal');
    assert.equal(asParleyError(cause).cause, cause);
    assert.equal(asParleyError(undefined).code, 'rpc.internal');
  });
});

describe('the catalogue', () => {
  it('has codes of one form, with a message and a remedy for each', () => {
    for (const [code, spec] of Object.entries(rpcErrors.catalogue)) {
      assert.match(code, /^rpc\.[a-z_]+$/);
      assert.ok(spec.message.length > 5 && spec.remedy.length > 5, code);
      assert.ok(spec.kind in kinds, code);
    }
  });
});
