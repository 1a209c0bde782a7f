import { fromBinary } from '@bufbuild/protobuf';
import {
  type GetHistoryRequest,
  ImEventSchema,
  ImService,
  type MessageContent,
  type SendMessageRequest,
  type SyncRequest,
} from '@parley/contracts/im/v1/im';
import { type CallContext, type MountedService, personOf, service } from '@parley/rpc';
import type { HistoryCommand, HistoryPage } from '../app/get-history.ts';
import type { SendCommand, SendResult } from '../app/send-message.ts';
import type { SyncCommand, SyncPage } from '../app/sync.ts';
import { isPersonId, messageIdOf } from '../domain/conversation.ts';
import { type Content, HIGH, NORMAL, PLAIN } from '../domain/event.ts';
import { imErrors } from '../errors.ts';
import type { StoredEvent } from '../ports/event-store.ts';

const SYNC_LIMIT = { most: 500, usual: 200 };
const HISTORY_LIMIT = { most: 200, usual: 50 };

export interface ImUseCases {
  readonly sendMessage: (command: SendCommand) => Promise<SendResult>;
  /** Undefined when he is known to be allowed. */
  readonly checkReader: (personId: string) => Promise<void> | undefined;
  readonly sync: (command: SyncCommand) => Promise<SyncPage>;
  readonly getHistory: (command: HistoryCommand) => Promise<HistoryPage>;
}

export function imService(useCases: ImUseCases): MountedService {
  return service(ImService, {
    async sendMessage(request, context) {
      const result = await useCases.sendMessage(toSendCommand(request, context));
      return { ...result, acceptedMs: BigInt(result.acceptedMs) };
    },
    async sync(request, context) {
      const command = toSyncCommand(request, context);
      const check = useCases.checkReader(command.personId);
      if (check) await check;
      const page = await useCases.sync(command);
      return { ...page, events: page.events.map(toEvent), complete: page.nextPage === '' };
    },
    async getHistory(request, context) {
      const command = toHistoryCommand(request, context);
      const check = useCases.checkReader(command.personId);
      if (check) await check;
      const page = await useCases.getHistory(command);
      return { ...page, events: page.events.map(toEvent) };
    },
  });
}

function toSendCommand(request: SendMessageRequest, context: CallContext): SendCommand {
  const senderId = personOf(context).id;
  const messageId = messageIdOf(request.messageId);
  if (!messageId) throw imErrors('im.message_id_invalid', { field: 'message_id' });
  if (!isPersonId(request.recipientId)) throw imErrors('im.recipient_invalid', { field: 'recipient_id' });
  if (request.recipientId === senderId) throw imErrors('im.recipient_self', { field: 'recipient_id' });
  return {
    senderId,
    messageId,
    recipientId: request.recipientId,
    content: toContent(request.content),
    afterKey: request.afterKey,
    attempt: request.attempt,
    traceparent: context.traceparent,
  };
}

function toContent(content: MessageContent | undefined): Content {
  const format = content?.format || PLAIN;
  if (format !== PLAIN) throw imErrors('im.format_unsupported', { field: 'content.format' });
  const importance = content?.importance || NORMAL;
  if (importance !== NORMAL && importance !== HIGH)
    throw imErrors('im.importance_unsupported', { field: 'content.importance' });
  return { text: content?.text ?? '', format, importance };
}

function toSyncCommand(request: SyncRequest, context: CallContext): SyncCommand {
  const { cursor, page } = request;
  return { personId: personOf(context).id, cursor, page, limit: limitOf(request.limit, SYNC_LIMIT) };
}

function toHistoryCommand(request: GetHistoryRequest, context: CallContext): HistoryCommand {
  const { conversationId, withPersonId, cursor } = request;
  const personId = personOf(context).id;
  if ((conversationId === '') === (withPersonId === ''))
    throw imErrors('im.conversation_invalid', { field: 'conversation_id' });
  if (withPersonId !== '' && !isPersonId(withPersonId))
    throw imErrors('im.conversation_invalid', { field: 'with_person_id' });
  return { personId, conversationId, withPersonId, cursor, limit: limitOf(request.limit, HISTORY_LIMIT) };
}

function limitOf(asked: number, { most, usual }: { most: number; usual: number }): number {
  if (asked > most) throw imErrors('im.limit_invalid', { field: 'limit', params: { limit: most } });
  return asked || usual;
}

const toEvent = (event: StoredEvent) => fromBinary(ImEventSchema, event.payload);
