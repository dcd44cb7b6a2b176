import type { RowKey, TableComparison } from '../../lambda/engine/engine.js';
import { count } from '../count.js';
import { printable } from './printable.js';

const KINDS = ['added', 'removed', 'changed'] as const;
const HEAD = ['table', 'in the archive', 'now', ...KINDS];

/** What the live database has become since an archive, in lines for people. */
export function describeChanges(tables: readonly TableComparison[]): string[] {
  const changed = tables.filter(({ state }) => state !== 'same');
  if (changed.length === 0) return [`nothing differs in ${count(tables.length, 'table')}`];
  const lines = [HEAD, ...changed.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((cells) => cells[column]!.length)));
  const [head, ...rows] = lines.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
  return [
    head!,
    ...changed.flatMap((table, index) => [rows[index]!, ...detailsOf(table)]),
    `${changed.length} of ${count(tables.length, 'table')} ${changed.length === 1 ? 'differs' : 'differ'}. A restore takes away what was added since the archive, brings back what was removed, and undoes what was changed.`,
  ];
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
