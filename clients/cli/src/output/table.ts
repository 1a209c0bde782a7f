import { oneLine, pad, truncate, widthOf } from './text.ts';

/** A cell: its text (sanitised here) and how to colour it once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** Columns narrower than this are not cut further. */
const LEAST = 8;

/**
 * A table with a head, as lines. Columns are as wide as their widest cell; where that does not fit into `width`
 * columns, the last one is cut, then the widest others.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | Cell)[])[],
  options: { readonly width?: number | undefined; readonly paintHead?: (text: string) => string } = {},
): string[] {
  const paintHead = options.paintHead ?? (text => text);
  const cells = [
    head.map(text => ({ text, paint: paintHead })),
    ...rows.map(row => row.map(cell => (typeof cell === 'string' ? { text: cell } : cell))),
  ].map(row => row.map((cell: Cell) => ({ ...cell, text: oneLine(cell.text) })));
  const widths = head.map((_, column) => Math.max(...cells.map(row => widthOf(row[column]?.text ?? ''))));
  const last = head.length - 1;
  if (options.width !== undefined) {
    const room = options.width - 2 * last;
    const before = () => widths.slice(0, last).reduce((sum, width) => sum + width, 0);
    widths[last] = Math.min(widths[last] as number, Math.max(LEAST, room - before()));
    for (let over = before() + widths[last] - room; over > 0; over--) {
      const widest = widths.indexOf(Math.max(...widths));
      if ((widths[widest] as number) <= LEAST) break;
      widths[widest] = (widths[widest] as number) - 1;
    }
  }
  return cells.map(row =>
    row
      .map(({ text, paint = plain }, column) => {
        const width = widths[column] as number;
        const shown = truncate(text, width);
        return column === last ? paint(shown) : paint(shown) + pad('', width - widthOf(shown));
      })
      .join('  ')
      .trimEnd(),
  );
}

const plain = (text: string) => text;
