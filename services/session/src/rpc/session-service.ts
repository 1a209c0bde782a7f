import { SessionService } from '@parley/contracts/session/v1/session';
import { type CallContext, type MountedService, personOf, service } from '@parley/rpc';
import type { Connect } from '../app/connect.ts';
import type { ForwardCommand } from '../app/forward-command.ts';
import type { CommandAction } from '../domain/commands.ts';
import { checkCommand, readConnect, readMachineState, readWatch } from './validate.ts';

interface UseCases {
  readonly connect: Connect;
  readonly forward: ForwardCommand;
}

interface CommandRequest {
  readonly sessionId: string;
  readonly commandId: string;
}

/** parley.session.v1.SessionService. */
export function createSessionService({ connect, forward }: UseCases): MountedService {
  function send(request: CommandRequest, context: CallContext, action: CommandAction): void {
    const { id: personId, signInId, tokenExpiresMs } = personOf(context);
    const { commandId, sessionId } = request;
    forward(sessionId, { commandId, personId, signInId, tokenExpiresMs, action }, context.traceparent);
  }

  return service(SessionService, {
    // Not async: the request must not live as long as the stream.
    connect(request, context, sink) {
      try {
        return connect(readConnect(request, personOf(context)), context, sink).then(() => undefined);
      } catch (error) {
        return Promise.reject(error as Error);
      }
    },
    async watch(request, context) {
      checkCommand(request);
      send(request, context, readWatch(request));
      return {};
    },
    async renew(request, context) {
      checkCommand(request);
      send(request, context, { kind: 'renew' });
      return {};
    },
    async reportActivity(request, context) {
      checkCommand(request);
      const machineState = readMachineState(request.machineState, 'machine_state');
      send(request, context, { kind: 'activity', machineState });
      return {};
    },
    async disconnect(request, context) {
      checkCommand(request);
      send(request, context, { kind: 'disconnect' });
      return {};
    },
  });
}
