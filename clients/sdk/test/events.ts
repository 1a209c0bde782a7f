import { create } from '@bufbuild/protobuf';
import { type ImEvent, ImEventKind, ImEventSchema } from '@parley/contracts/im/v1/im';

/** A message as an event; `n` gives its place in the order. */
export function event(of: {
  readonly senderId: string;
  readonly to: string;
  readonly n: number;
  readonly messageId?: string;
  readonly text?: string;
}): ImEvent {
  return create(ImEventSchema, {
    id: `${of.senderId}.${of.messageId ?? `m${of.n}`}`,
    kind: ImEventKind.MESSAGE,
    conversationId: 'd_1',
    senderId: of.senderId,
    key: `k${String(of.n).padStart(6, '0')}`,
    acceptedMs: BigInt(1_000_000 + of.n),
    content: { text: of.text ?? `text ${of.n}` },
    recipientIds: [of.senderId, of.to].sort(),
  });
}
