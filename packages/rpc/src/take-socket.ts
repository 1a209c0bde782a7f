import type { Socket } from 'node:net';
import type { WebResponse } from './web-call.ts';

/** What Node keeps beside an HTTP/1.1 connection; not in its documentation, so that every use is checked. */
interface HttpInternals {
  readonly httpVersion?: string;
  readonly req?: { readonly httpVersion?: string };
  detachSocket?: (socket: Socket) => void;
}
interface ParserInternals {
  unconsume?: () => void;
  remove?: () => void;
  close?: () => void;
}

/**
 * Takes the connection of a response whose head has not been written away from Node's HTTP layer, which then forgets
 * request, response, parser and its listeners: a third of what an idle stream costs. The caller writes the response
 * itself, head included, and closes the connection after it. Undefined when that is not possible (HTTP/2, TLS, HTTP/1.0,
 * a pipelined request, another Node): the response is then used as usual. Never call it while the parser runs, that is,
 * not in the turn in which a request came.
 */
export function takeSocket(response: WebResponse): Socket | undefined {
  const { socket, req, detachSocket, headersSent } = response as WebResponse &
    HttpInternals & { socket?: Socket | null };
  if (!socket || headersSent || socket.destroyed || (socket as { encrypted?: boolean }).encrypted) return undefined;
  const holder = socket as unknown as { parser?: ParserInternals | null; _httpMessage?: unknown; on: unknown };
  const { parser } = holder;
  if (req?.httpVersion !== '1.1' || holder._httpMessage !== response || typeof detachSocket !== 'function')
    return undefined;
  if (!parser?.unconsume || !parser.remove || !parser.close) return undefined;
  socket.setTimeout(0);
  detachSocket.call(response, socket);
  for (const event of ['data', 'end', 'close', 'drain', 'error', 'timeout', 'pause', 'resume', 'finish']) {
    socket.removeAllListeners(event);
  }
  parser.unconsume();
  parser.remove();
  parser.close();
  holder.parser = null;
  // Node had put its own variants there; the ones of the class are right again.
  for (const name of ['on', 'addListener', 'prependListener', 'setEncoding']) {
    delete (socket as unknown as Record<string, unknown>)[name];
  }
  return socket;
}
