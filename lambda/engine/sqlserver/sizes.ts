import type { SizesRequest } from '../engine.js';
import { addressOf } from './address.js';
import { Session } from './session.js';

/** How large the data files of databases are, whatever is in them. */
export async function sizes({ server, of }: SizesRequest): Promise<Map<string, number>> {
  const wanted = new Set('databases' in of ? of.databases : of.schemas);
  const session = await Session.open(addressOf(server));
  try {
    const files = await session.query<{ name: string; bytes: number }>(
      `SELECT d.name, SUM(CONVERT(float, f.size)) * 8192 AS bytes FROM sys.databases d
         JOIN sys.master_files f ON f.database_id = d.database_id AND f.type = 0 GROUP BY d.name`,
    );
    return new Map(files.filter(({ name }) => wanted.has(name)).map(({ name, bytes }) => [name, bytes]));
  } finally {
    await session.close();
  }
}
