import pg from 'pg';
import type { EngineRestoreRequest, TableRows } from '../engine.js';
import { depthFor, differences, refuseDifferences } from '../table-rows.js';
import { checksumsHere, fixOutput } from './checksums.js';
import { connect, type PostgresAddress } from './connect.js';
import { otherVersions } from './extensions.js';
import { loadedRows } from './loaded-rows.js';
import { countLargeObjects, countTable, ownTables } from './tables.js';

/** What ANALYZE must be told by name: partitioned tables (which includes their partitions), other tables, views that hold rows. */
const TO_ANALYZE = `
  select n.nspname as schema, c.relname as name
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where (c.relkind in ('r', 'm') and not c.relispartition or c.relkind = 'p' and not c.relispartition)
    and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  order by case c.relkind when 'p' then 0 else 1 end, pg_catalog.pg_table_size(c.oid) desc`;

/**
 * The copy against the manifest, in the copy itself; and statistics, without which it would be live but slow.
 * Several sessions, the largest tables first.
 */
export async function checkContent(
  address: PostgresAddress,
  side: string,
  request: Pick<EngineRestoreRequest, 'tables' | 'checksums' | 'signal' | 'facts'>,
  sessions: number,
): Promise<{ readonly tables: readonly TableRows[]; readonly warnings: readonly string[] }> {
  const session = async () => {
    const client = await connect(address, side);
    clients.push(client);
    await fixOutput(client);
    return client;
  };
  const clients: pg.Client[] = [];
  try {
    const first = await session();
    const { depth, warnings } = await depthOf(first, request);
    const tables = await ownTables(first);
    const analyze = (await first.query<{ schema: string; name: string }>(TO_ANALYZE)).rows;
    const counted = new Map(depth === 'rows' ? await loadedRows(first, tables, request.tables) : []);
    const work = [
      ...analyze.map((table) => (client: pg.Client) => client.query(`analyze ${qualified(table)}`)),
      ...tables
        .filter((table) => !counted.has(table))
        .map((table) => async (client: pg.Client) => {
          counted.set(table, await countTable(client, table, depth));
        }),
    ];
    while (clients.length < Math.min(sessions, work.length)) await session();
    await Promise.all(
      clients.map(async (client) => {
        for (let next = work.shift(); next; next = work.shift()) {
          request.signal?.throwIfAborted();
          await next(client);
        }
      }),
    );
    const all = [...tables.map((table) => counted.get(table)!), ...(await countLargeObjects(first))];
    refuseDifferences(differences(request.tables, all));
    const versions = await otherVersions(first, request.facts.properties);
    return { tables: all, warnings: [...warnings, ...versions, ...(await computedTooEarly(first))] };
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => {})));
  }
}

/** A session that loads begins before there is a text search configuration of the database's own that is its default. */
async function computedTooEarly(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ config: string; views: string | null }>(
    `select current_setting('default_text_search_config') as config, string_agg(oid::regclass::text, ', ' order by oid) as views
     from pg_class where relkind = 'm' and pg_get_viewdef(oid) ~ '(to_tsvector|to_tsquery|ts_headline)\\('`,
  );
  const { config, views } = rows[0]!;
  if (views === null || config.startsWith('pg_catalog.')) return [];
  return [
    `the database's text search configuration is ${config}, which may not have been there yet when materialized views were computed: REFRESH those that do not name one: ${views}`,
  ];
}

function qualified({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
}

/** Of one session's server. */
export function depthOf(client: pg.Client, { checksums }: Pick<EngineRestoreRequest, 'checksums'>) {
  return depthFor(checksums, () => checksumsHere(client));
}
