import { type DescMethod, getOption } from '@bufbuild/protobuf';
import { access } from '@parley/contracts';
import { type CallContext, type MountedService, personIn, type StreamSink } from '@parley/rpc';

type Require = (personId: string, roles: readonly number[]) => Promise<void>;
type Handler = (request: never, context: CallContext, sink?: StreamSink) => Promise<unknown>;

/** The same service for those who hold one of a method's roles now, whatever their tokens say; streams ask again and again. */
export function withStanding(mounted: MountedService, require: Require): MountedService {
  const guarded = Object.entries(mounted.desc.method).map(([name, method]) => {
    const handler = mounted.impl[name] as Handler;
    return [name, guard(method as DescMethod, handler, require)] as const;
  });
  return { desc: mounted.desc, impl: Object.fromEntries(guarded) as MountedService['impl'] };
}

function guard(method: DescMethod, handler: Handler, require: Require): Handler {
  const { roles } = getOption(method, access);
  return async (request, context, sink) => {
    const person = personIn(context.principal);
    if (!person) return handler(request, context, sink);
    const check = () => require(person.id, roles);
    await check();
    return handler(request, context, sink && checked(sink, check));
  };
}

/** Asks again whenever something is sent, and sends no more after a refusal. */
function checked(sink: StreamSink, check: () => Promise<void>): StreamSink {
  let refusal: unknown;
  let asking = false;
  const pass = () => {
    if (refusal) throw refusal;
    if (asking) return;
    asking = true;
    check().then(
      () => void (asking = false),
      (error: unknown) => void (refusal = error),
    );
  };
  return {
    send(message) {
      pass();
      sink.send(message);
    },
    sendEncoded(bytes) {
      pass();
      sink.sendEncoded(bytes);
    },
    get queuedBytes() {
      return sink.queuedBytes;
    },
    onDrain: listener => sink.onDrain(listener),
  };
}
