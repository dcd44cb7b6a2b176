import { OperationError } from '../errors.js';
import type { Checksums, TableRows } from './engine.js';
import { listed } from './listed.js';

/** How much is said of each table: its rows' number, or also a checksum of their content. */
export type Depth = 'rows' | 'content';

/** How deep a copy can be looked at: checksums say something only where this server takes them like the one of the archive. */
export async function depthFor(
  checksums: Checksums | undefined,
  here: () => Promise<Checksums>,
): Promise<{ readonly depth: Depth; readonly warnings: readonly string[] }> {
  if (!checksums) return { depth: 'rows', warnings: [] };
  const { method, probe } = await here();
  if (method === checksums.method && probe === checksums.probe) return { depth: 'content', warnings: [] };
  return {
    depth: 'rows',
    warnings: [
      'rows were counted, but the checksums of their content were not compared, because this server hashes in another way than the one of the archive',
    ],
  };
}

/** Where two counts differ, in words; empty when they agree. Checksums count where both have them. */
export function differences(expected: readonly TableRows[], got: readonly TableRows[]): string[] {
  const key = ({ schema, name }: TableRows) => JSON.stringify([schema, name]);
  const rest = new Map(got.map((table) => [key(table), table]));
  const found: string[] = [];
  for (const table of expected) {
    const other = rest.get(key(table));
    rest.delete(key(table));
    const name = `${table.schema}.${table.name}`;
    if (!other) found.push(`${name} is missing`);
    else if (other.rows !== table.rows) found.push(`${name} has ${other.rows} rows instead of ${table.rows}`);
    else if ((other.checksum ?? table.checksum) !== (table.checksum ?? other.checksum))
      found.push(`${name} has the right number of rows, but their content is another`);
  }
  for (const { schema, name } of rest.values()) found.push(`${schema}.${name} was not in the dump`);
  return found;
}

/** Ends a restore whose copy differs from the manifest. */
export function refuseDifferences(found: readonly string[]): void {
  if (found.length > 0)
    throw new OperationError(
      `the restored copy is not what the manifest says: ${listed(found)}; the live database was not touched`,
    );
}
