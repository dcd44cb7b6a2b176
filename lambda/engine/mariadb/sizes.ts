import type { SizesRequest } from '../engine.js';
import { addressOf, connect, rows } from './connect.js';

/** So many names go into one statement. */
const AT_ONCE = 1000;

/** What databases take on disk, with indexes, as the storage engines estimate it. */
export async function sizes({ server, of }: SizesRequest): Promise<Map<string, number>> {
  const names = 'databases' in of ? of.databases : of.schemas;
  const found = new Map<string, number>();
  const client = await connect(addressOf(server));
  try {
    for (let from = 0; from < names.length; from += AT_ONCE) {
      const measured = await rows<{ name: string; bytes: string | number | null }>(
        client,
        `select table_schema as name, sum(data_length + index_length) as bytes from information_schema.tables
         where table_schema in (?) group by binary table_schema`,
        [names.slice(from, from + AT_ONCE)],
      );
      for (const { name, bytes } of measured) found.set(name, Number(bytes ?? 0));
    }
    return found;
  } finally {
    await client.end();
  }
}
