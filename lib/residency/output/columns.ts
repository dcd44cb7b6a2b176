const INDENT = '    ';

/**
 * Cells in columns, a row in one line. Where that is wider than a terminal, the last cells stand on a line below the
 * others, and those are wrapped in their columns.
 */
export function aligned(
  rows: readonly (readonly string[])[],
  width = Number.POSITIVE_INFINITY,
  below = 1,
): readonly string[] {
  const whole = widthsOf(rows);
  if (total(whole, 2) <= width) return rows.flatMap((row) => linesOf(row, whole, 2));
  const widths = narrowed(
    rows.map((row) => row.slice(0, -below)),
    width,
  );
  const gap = total(widths, 2) <= width ? 2 : 1;
  return rows.flatMap((row) => [
    ...linesOf(row.slice(0, -below), widths, gap),
    INDENT + row.slice(-below).join('  '),
  ]);
}

/** A line in several, where it is wider than a terminal; they go on under its own beginning, or a little to the right. */
export function folded(line: string, width: number, indent = 2): readonly string[] {
  if (line.length <= width) return [line];
  const start = /^ *(?:\S{1,3} {2,})?/.exec(line)![0];
  const hanging = ' '.repeat(start.length || indent);
  return wrapped(line.slice(start.length), width - hanging.length).map(
    (text, i) => (i === 0 ? start : hanging) + text,
  );
}

const total = (widths: readonly number[], gap: number) =>
  widths.reduce((sum, width) => sum + width + gap, -gap);

const widthsOf = (rows: readonly (readonly string[])[]) =>
  rows[0]!.map((_, column) => rows.reduce((widest, row) => Math.max(widest, row[column]!.length), 0));

/** A single character, as a unit, stays with what is before it. */
const wordsOf = (text: string) => text.split(/ +(?=\S\S)/);

/** Takes from the column that can spare most, as long as there is too much. */
function narrowed(rows: readonly (readonly string[])[], width: number): readonly number[] {
  const widths = [...widthsOf(rows)];
  const least = widthsOf(
    rows.map((row) => row.map((cell) => ' '.repeat(Math.max(...wordsOf(cell).map((word) => word.length))))),
  );
  for (;;) {
    const excess = total(widths, 2) - width;
    const spare = widths.map((each, column) => each - least[column]!);
    const most = Math.max(...spare);
    if (excess <= 0 || most === 0) return widths;
    widths[spare.indexOf(most)]! -= Math.min(excess, most);
  }
}

function linesOf(row: readonly string[], widths: readonly number[], gap: number): readonly string[] {
  const cells = row.map((cell, column) =>
    cell.length <= widths[column]! ? [cell] : wrapped(cell, widths[column]!),
  );
  const height = Math.max(...cells.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((cell, column) => (cell[line] ?? '').padEnd(widths[column]!))
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of wordsOf(text)) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
