import { type ImEvent, Importance } from '@parley/client';
import type { Cli } from '../cli.ts';
import { oneLine, pad, sanitise, widthOf } from './text.ts';
import { timeOf } from './time.ts';

/** What a line of a conversation needs. */
export interface LineParts {
  readonly timeMs: number;
  readonly name: string;
  readonly mine: boolean;
  readonly text: string;
  readonly high: boolean;
}

/** `10:02 Tom: text`, with further lines of the text below its beginning. */
export function conversationLine({ print, io }: Pick<Cli, 'print' | 'io'>, parts: LineParts): string {
  const time = timeOf(parts.timeMs, io.now());
  const name = oneLine(parts.name);
  const indent = pad('', widthOf(`${time} ${name}: `));
  const text = sanitise(parts.text).replaceAll('\n', `\n${indent}`);
  const mark = parts.high ? print.style('red', '! ') : '';
  return `${print.style('dim', time)} ${print.style(parts.mine ? 'cyan' : 'bold', name)}: ${mark}${text}`;
}

/** A message as a line. */
export const messageLine = (cli: Pick<Cli, 'print' | 'io'>, event: ImEvent, name: string): string =>
  conversationLine(cli, {
    timeMs: Number(event.acceptedMs),
    name,
    mine: name === 'You',
    text: event.content?.text ?? '',
    high: event.content?.importance === Importance.HIGH,
  });
