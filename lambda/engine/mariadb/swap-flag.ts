import { type Connection, rows } from './connect.js';

/** A table without rows whose name is changed by the swap's own RENAME: by it is known whether that was done. */
export const PENDING = '__sovereign_pending';
export const SWAPPED = '__sovereign_swapped';

/** Whether the swap that this copy was made for was done. */
export async function swapped(client: Connection, undo: string): Promise<boolean> {
  const found = await rows(
    client,
    'select 1 from information_schema.tables where table_schema = ? and table_name = ?',
    [undo, SWAPPED],
  );
  return found.length > 0;
}
