import { oneLine, pad, truncate, widthOf } from './text.ts';

/** A cell: its text (sanitised here) and how to colour it once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/**
 * A table with a head, as lines. Columns are as wide as their widest cell; where that does not fit into `width`
 * columns, the last one is cut.
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
    const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
    widths[last] = Math.min(widths[last] as number, Math.max(8, options.width - before));
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
