import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type CallOptions as GrpcCallOptions, Metadata, type ServiceError } from '@grpc/grpc-js';
import { systemClock } from '@parley/runtime';
import { Call, type Follower } from './call.ts';
import type { CallOptions } from './channel.ts';
import type { ParleyError } from './errors.ts';
import { rpcErrors } from './rpc-errors.ts';
import { asParleyError, errorFromStatus } from './status.ts';

/** Something that can be given up. */
export interface Cancellable {
  cancel(): void;
}

/** Ends a call to another process when the one it is made for ends. */
export class Link implements Follower {
  readonly #options: CallOptions | undefined;
  #call: Cancellable | undefined = undefined;
  #aborted = false;

  /** Throws `rpc.cancelled` when it has ended already. */
  constructor(options: CallOptions | undefined) {
    this.#options = options;
    const { context, signal } = options ?? {};
    if (signal?.aborted || (!(context instanceof Call) && context?.signal.aborted)) throw rpcErrors('rpc.cancelled');
    if (context instanceof Call) context.addFollower(this);
    else context?.signal.addEventListener('abort', this.onLeaderAborted, { once: true });
    signal?.addEventListener('abort', this.onLeaderAborted, { once: true });
  }

  /** What is under way now. */
  bind(call: Cancellable): void {
    this.#call = call;
    if (this.#aborted) call.cancel();
  }

  readonly onLeaderAborted = (): void => {
    this.#aborted = true;
    this.#call?.cancel();
  };

  release(): void {
    const { context, signal } = this.#options ?? {};
    if (context instanceof Call) context.removeFollower(this);
    else context?.signal.removeEventListener('abort', this.onLeaderAborted);
    signal?.removeEventListener('abort', this.onLeaderAborted);
  }
}

/** What goes with a call: who calls, for whom, and as part of what. */
export function metadataOf(token: string, options: CallOptions | undefined): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  const context = options?.context;
  if (context) {
    if (context.token !== undefined) metadata.set('x-parley-person-token', context.token);
    metadata.set('x-request-id', context.requestId);
    if (context.traceparent !== undefined) metadata.set('traceparent', context.traceparent);
  }
  return metadata;
}

/** A request as the library wants it. */
export function encode<I extends DescMessage>(desc: I, request: MessageInitShape<I>): Buffer {
  const bytes = toBinary(desc, create(desc, request));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The library compares with the machine's clock. */
export function deadlineOf(timeoutMs: number | undefined): GrpcCallOptions {
  return timeoutMs === undefined ? {} : { deadline: systemClock.now() + timeoutMs };
}

/** Whether a refusal is one of ours: somebody was there to make it. */
export function hasDetails(error: ServiceError | null): boolean {
  return (error?.metadata?.get('grpc-status-details-bin').length ?? 0) > 0;
}

/** The refusal behind what the library rejects with. */
export function errorOf(error: ServiceError): ParleyError {
  if (typeof error.code !== 'number') return asParleyError(error);
  const details = error.metadata?.get('grpc-status-details-bin')[0];
  return errorFromStatus(error.code, error.details, details instanceof Uint8Array ? details : undefined);
}
