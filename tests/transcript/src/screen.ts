/** What a terminal shows after everything that was printed to it: lines that went up stay, without a width. */
export interface Screen {
  write(text: string): void;
  /** Everything shown, from the first line on. */
  text(): string;
  /** The line the cursor stands in, as far as the cursor. */
  beforeCursor(): string;
  /** Line of the cursor, from 0. */
  readonly row: number;
}

const PIECE = new RegExp(
  [
    '\\u001b\\[([?\\d;]*)([A-Za-z])', // control sequence
    '\\u001b[()][A-Z0-9]', // character set
    '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)', // title
    '\\u001b.',
    '[^\\u001b]', // one character
  ].join('|'),
  'gsu',
);

const BEGUN = /\u001b(?:\[[?\d;]*|\][^\u0007\u001b]*|[()])?$/;

/** As much of a terminal as our programs use: carriage return, backspace, cursor moves, clearing. */
export function createScreen(): Screen {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  let begun = ''; // a sequence whose end has not come yet
  const line = () => {
    while (lines.length <= row) lines.push([]);
    return lines[row] as string[];
  };

  function put(character: string): void {
    const cells = line();
    while (cells.length < column) cells.push(' ');
    cells[column++] = character;
  }
  function control(parameters: string, final: string): void {
    const n = Math.max(1, Number.parseInt(parameters, 10) || 1);
    if (final === 'A') row = Math.max(0, row - n);
    else if (final === 'B') row += n;
    else if (final === 'C') column += n;
    else if (final === 'D') column = Math.max(0, column - n);
    else if (final === 'G') column = n - 1;
    else if (final === 'K' || final === 'J') {
      line().length = Math.min(line().length, column);
      if (final === 'J') lines.length = row + 1;
    }
  }

  return {
    write(text) {
      const all = begun + text;
      begun = BEGUN.exec(all)?.[0] ?? '';
      for (const [piece, parameters, final] of all.slice(0, all.length - begun.length).matchAll(PIECE)) {
        if (final !== undefined) control(parameters ?? '', final);
        else if (piece === '\n') row++;
        else if (piece === '\r') column = 0;
        else if (piece === '\b') column = Math.max(0, column - 1);
        else if (piece >= ' ') put(piece);
        if (piece === '\n') line();
      }
    },
    text: () => lines.map(cells => cells.join('').trimEnd()).join('\n'),
    beforeCursor: () => (lines[row] ?? []).slice(0, column).join(''),
    get row() {
      return row;
    },
  };
}
