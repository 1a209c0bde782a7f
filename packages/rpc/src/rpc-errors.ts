import { defineErrors } from './errors.ts';

/** Refusals that any call may meet, whatever the service. */
export const rpcErrors = defineErrors({
  'rpc.unauthenticated': {
    kind: 'unauthenticated',
    message: 'a valid bearer token is needed',
    remedy: 'Sign in and send the access token as `authorization: Bearer …`.',
  },
  'rpc.token_expired': {
    kind: 'unauthenticated',
    message: 'the token has expired',
    remedy: 'Refresh the access token and repeat the call.',
  },
  'rpc.password_change_required': {
    kind: 'forbidden',
    message: 'the password must be changed first',
    remedy: 'Call AuthService/ChangePassword; nothing else is allowed until then.',
  },
  'rpc.permission_denied': {
    kind: 'forbidden',
    message: 'the caller may not call this method',
    remedy: 'Ask an administrator for a role that the method names.',
  },
  'rpc.unknown_method': {
    kind: 'unimplemented',
    message: 'there is no such method here',
    remedy: 'Check the name of service and method, and the version of the server.',
  },
  'rpc.unsupported_content_type': {
    kind: 'invalid',
    message: 'the content type is not one of gRPC-Web',
    remedy: 'Send application/grpc-web+proto or application/grpc-web-text+proto.',
  },
  'rpc.unsupported_encoding': {
    kind: 'unimplemented',
    message: 'compressed messages are not accepted',
    remedy: 'Send messages uncompressed (grpc-encoding: identity).',
  },
  'rpc.unexpected_compression': {
    kind: 'internal',
    message: 'the message is marked as compressed, but grpc-encoding names no compression',
    remedy: 'Send messages uncompressed, with the flag of compression unset.',
  },
  'rpc.not_one_message': {
    kind: 'unimplemented',
    message: 'a request consists of exactly one message',
    remedy: 'Send one message; no method takes a stream of them.',
  },
  'rpc.malformed': {
    kind: 'invalid',
    message: 'the request cannot be read: {reason}',
    remedy: 'Send exactly one length-prefixed message that matches the proto file.',
  },
  'rpc.too_deep': {
    kind: 'limit',
    message: 'messages may be nested at most {limit} deep',
    remedy: 'Send a flatter message.',
  },
  'rpc.request_too_large': {
    kind: 'limit',
    message: 'the request is larger than {limit} bytes',
    remedy: 'Send less at once; every method has its limit in the contract.',
  },
  'rpc.rate_limited': {
    kind: 'limit',
    message: 'too many calls; wait {retryAfterMs} ms',
    remedy: 'Wait as long as the refusal says, then repeat the call.',
  },
  'rpc.slow_reader': {
    kind: 'limit',
    message: 'the reader does not take what it is sent',
    remedy: 'Read the stream without pauses, connect again and synchronise.',
  },
  'rpc.overloaded': {
    kind: 'unavailable',
    message: 'the server has too much to do',
    remedy: 'Repeat the call later with growing pauses. Administrators: add replicas or raise the limit.',
  },
  'rpc.unavailable': {
    kind: 'unavailable',
    message: 'the service cannot be reached',
    remedy: 'Repeat the call later with growing pauses.',
  },
  'rpc.busy': {
    kind: 'unavailable',
    message: 'too many calls to the same service are under way',
    remedy:
      'Repeat the call later with growing pauses. Administrators: find out why that service is slow, or add replicas.',
  },
  'rpc.circuit_open': {
    kind: 'unavailable',
    message: 'a service that is needed does not answer',
    remedy:
      'Repeat the call later with growing pauses. Administrators: look at that service; it is tried again by itself.',
  },
  'rpc.shutting_down': {
    kind: 'unavailable',
    message: 'the server is stopping',
    remedy: 'Repeat the call; another replica will answer.',
  },
  'rpc.deadline_exceeded': {
    kind: 'deadline',
    message: 'the deadline has passed',
    remedy: 'Repeat with the same client-made id: the call may or may not have had its effect.',
  },
  'rpc.invalid_deadline': {
    kind: 'invalid',
    message: 'grpc-timeout is not a timeout',
    remedy: 'Send 1 to 8 digits and one of H, M, S, m, u, n.',
  },
  'rpc.cancelled': {
    kind: 'cancelled',
    message: 'the caller gave up',
    remedy: 'Nothing; repeat with the same client-made id if the call is still wanted.',
  },
  'rpc.unknown': {
    kind: 'unknown',
    message: 'the outcome is unknown: {reason}',
    remedy: 'Repeat with the same client-made id: the call may or may not have had its effect.',
  },
  'rpc.internal': {
    kind: 'internal',
    message: 'an internal error',
    remedy: 'Give the request id to an administrator, who finds the cause in the log.',
  },
});
