import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import { type ContainerHead, type ContainerTable, readContainer } from '../../../tenancy/container.js';
import { keyOf, nameOf } from '../../../tenancy/description.js';
import { digestsLike } from '../../../tenancy/line-digests.js';
import { type Place, Stage, type Staged } from '../../../tenancy/stage.js';
import type { EngineRestoreRequest } from '../../engine.js';
import { withoutValues } from '../tool.js';
import { isLimit } from './limit.js';
import { ENGINE, names, relation, type SharedRows } from './shared-rows.js';

const WHOLE = ['smallint', 'integer', 'bigint', 'numeric'];
const TEXT = ['character varying', 'text'];

function takes(now: string, then: string): boolean {
  if (now === then) return true;
  const base = (type: string) => type.replace(/\(\d+(,-?\d+)?\)/, '');
  const from = base(then);
  const to = base(now);
  if (TEXT.includes(from) && TEXT.includes(to)) return true;
  if (from === to) return now === to;
  const [small, large] = [WHOLE.indexOf(from), WHOLE.indexOf(to)];
  return small >= 0 && small < large && now === to && then === from;
}

/** The temporary tables of the session. */
export function stageOf(client: pg.Client, rows: SharedRows): Stage {
  const count = async (query: string) => {
    const { rows: found } = await client.query<{ count: string }>(
      `select count(*) as count from (${query}) counted`,
    );
    return Number(found[0]!.count);
  };
  return new Stage(
    {
      engine: ENGINE,
      takes,
      name: (position) => `pg_temp.staged_${position + 1}`,
      async create({ table, drift, name }) {
        const columns = table.columns.map(({ name: column }) =>
          drift.dropped.includes(column) ? `null::text as ${names([column])}` : `t.${names([column])}`,
        );
        await client.query(`create temporary table ${name.replace('pg_temp.', '')} as
          select ${columns.join(', ')} from ${relation(table)} t with no data`);
      },
      async index({ table, planned, drift, name }) {
        const { primaryKey } = planned.table;
        if (primaryKey.length === 0 || !primaryKey.every((column) => drift.kept.includes(column))) {
          await client.query(`analyze ${name}`);
          return;
        }
        // It also tells the planner how many rows there are, and that no two have one key.
        await client.query(`create unique index on ${name} (${names(primaryKey)})`).catch((error) => {
          if (isLimit(error)) throw error;
          throw new OperationError(
            `${nameOf(table)} has rows in the archive that the live table's primary key does not allow beside one another: ${reasonOf(error)}; nothing was changed`,
          );
        });
      },
      count: ({ name }) => count(`select from ${name}`),
      filled: ({ name }, column) => count(`select from ${name} where ${names([column])} is not null`),
      foreign: ({ planned, name }, at) =>
        count(`select from ${name} t where (${rows.belongs(planned, 't', at)}) is not true`),
      async taken({ planned, name }) {
        const key = planned.table.primaryKey;
        // One look into the key's index for each staged row: the other way round the whole live table would be read.
        const { rows: found } = await client.query<{ key: string }>(
          `select row(${names(key, 's')})::text as key from ${name} s cross join lateral (
             select from ${relation(planned.table)} t
             where (${names(key, 't')}) = (${names(key, 's')}) and (${rows.belongs(planned, 't')}) is not true offset 0) other
           order by 1 limit 5`,
        );
        return found.map(({ key: text }) => text);
      },
      present: (planned) =>
        count(`select from ${relation(planned.table)} t where ${rows.belongs(planned, 't')}`),
    },
    rows,
  );
}

/** What stands after INTO and COPY: the columns as they come. */
export function into({ table, name }: Place): string {
  return `${name} (${names(table.columns.map((column) => column.name))})`;
}

/** Loads the rows of an archive, to its end, into temporary tables. */
export async function stageArchive(
  client: pg.Client,
  rows: SharedRows,
  request: Pick<EngineRestoreRequest, 'tables' | 'checksums'>,
  dump: Readable,
): Promise<Staged> {
  const stage = stageOf(client, rows);
  const expected = new Map(
    request.tables.map((table) => [keyOf({ schema: table.schema, table: table.name }), table]),
  );
  const digests = digestsLike(request.checksums);
  let head: ContainerHead | undefined;
  let current:
    | { table: ContainerTable; copy: ReturnType<typeof copyFrom>; failed: Promise<never> }
    | undefined;
  const finish = async () => {
    if (!current) return;
    const { copy, failed } = current;
    current = undefined;
    const done = emitted(copy, 'finish');
    copy.end();
    await Promise.race([done, failed]);
  };
  for await (const part of readContainer(dump as AsyncIterable<Buffer>)) {
    if ('head' in part) {
      head = part.head;
      await stage.open(head);
    } else if ('table' in part) {
      digests?.add(part.table, part.bytes);
      if (current?.table !== part.table) {
        await finish();
        const place = stage.place(part.table);
        if (!place) continue;
        const copy = client.query(copyFrom(`copy ${into(place)} from stdin`));
        const failed = once(copy, 'error').then(([error]) => {
          if (isLimit(error)) throw error;
          throw new InputError(
            `${nameOf(part.table)}: a row of the archive does not fit the live table: ${withoutValues(reasonOf(error))}${whereOf(error)}; nothing was changed`,
          );
        }) as Promise<never>;
        failed.catch(() => {});
        current = { table: part.table, copy, failed };
      }
      if (!current.copy.write(part.bytes))
        await Promise.race([emitted(current.copy, 'drain'), current.failed]);
    } else await finish();
  }
  digests?.check(head!.tables, (table) => expected.get(keyOf(table))?.checksum);
  return stage.close(new Map([...expected].map(([key, { rows: count }]) => [key, count])));
}

/** Not `once` of Node, which rejects at an error, too, before it has been put in words. */
function emitted(stream: Writable, event: 'drain' | 'finish'): Promise<void> {
  return new Promise((resolve) => stream.once(event, resolve));
}

/** Which line and column; not the value, which is a tenant's. */
function whereOf(error: unknown): string {
  const where = /^COPY staged_\d+, (line \d+(?:, column [^:]+)?)/.exec(
    (error as { where?: string }).where ?? '',
  );
  return where ? ` (${where[1]})` : '';
}
