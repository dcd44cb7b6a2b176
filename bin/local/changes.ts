import type { RowKey, TableComparison } from '../../lambda/engine/engine.js';
import { folded } from '../../lib/residency/output/columns.js';
import { count } from '../count.js';
import { printable } from './printable.js';

const KINDS = ['added', 'removed', 'changed'] as const;
const HEAD = ['table', 'in the archive', 'now', ...KINDS];

/** What the live database has become since an archive, in lines for people; for a terminal of a width, in lines that fit. */
export function describeChanges(
  tables: readonly TableComparison[],
  width = Number.POSITIVE_INFINITY,
): string[] {
  const changed = tables.filter(({ state }) => state !== 'same');
  if (changed.length === 0) return [`nothing differs in ${count(tables.length, 'table')}`];
  const [head, ...rows] = linesOf([HEAD, ...changed.map(cellsOf)], width);
  return [
    ...head!,
    ...changed.flatMap((table, index) => [...rows[index]!, ...detailsOf(table)]),
    `${changed.length} of ${count(tables.length, 'table')} ${changed.length === 1 ? 'differs' : 'differ'}. A restore takes away what was added since the archive, brings back what was removed, and undoes what was changed.`,
  ].flatMap((line) => folded(line, width));
}

/** A name and numbers in a line; where that is wider than the terminal, the numbers of all stand below the names. */
function linesOf(table: readonly (readonly string[])[], width: number): string[][] {
  const widths = HEAD.map((_, column) => Math.max(...table.map((cells) => cells[column]!.length)));
  const numbersOf = ([, ...numbers]: readonly string[]) =>
    numbers.map((cell, column) => cell.padStart(widths[column + 1]!)).join('  ');
  const lines = table.map((cells) => [`${cells[0]!.padEnd(widths[0]!)}  ${numbersOf(cells)}`]);
  if (lines[0]![0]!.length <= width) return lines;
  return table.map((cells) => [cells[0]!, `    ${numbersOf(cells)}`]);
}

function cellsOf({ schema, name, state, archiveRows, liveRows, rows }: TableComparison): string[] {
  const note = state === 'added' ? ' (new)' : state === 'removed' ? ' (gone)' : '';
  const cell = (value: number | null) => (value === null ? '-' : String(value));
  return [
    printable(`${schema}.${name}`) + note,
    cell(archiveRows),
    cell(liveRows),
    ...KINDS.map((kind) => String(rows[kind])),
  ];
}

function detailsOf({ columns, sample, rows }: TableComparison): string[] {
  return [
    ...columns.map(({ name, archive, live }) => {
      const column = `    column ${printable(name)}: `;
      if (archive === null) return `${column}new, ${printable(live!)}`;
      if (live === null) return `${column}gone, was ${printable(archive)}`;
      return `${column}${printable(archive)} became ${printable(live)}`;
    }),
    ...KINDS.flatMap((kind) => {
      if (sample[kind].length === 0) return [];
      const more = rows[kind] > sample[kind].length ? ', ...' : '';
      return [`    ${kind}: ${sample[kind].map(keyText).join(', ')}${more}`];
    }),
  ];
}

function keyText(key: RowKey): string {
  return Object.entries(key)
    .map(([name, value]) => printable(`${name}=${value}`))
    .join(' ');
}
