import type { Readable } from 'node:stream';
import { type ContainerHead, type ContainerTable, readContainer } from '../../../tenancy/container.js';
import { keyOf } from '../../../tenancy/description.js';
import { digestsLike } from '../../../tenancy/line-digests.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import { Stage, type Staged } from '../../../tenancy/stage.js';
import type { EngineRestoreRequest } from '../../engine.js';
import { type Connection, q, rows as select } from '../connect.js';
import { DEFAULT_SCHEMA } from './catalog.js';
import { Loader, takesStreams } from './load.js';
import { ENGINE, equal, names, number, type SharedRows } from './shared-rows.js';

const WHOLE = ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'];
const TEXT = ['varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];

/** The text of one type in another; whole numbers of the same sign, from small to large. */
function takes(now: string, then: string): boolean {
  if (now === then) return true;
  const parts = (type: string) => {
    const [, base, rest] = /^(\w+)(?:\([\d,]+\))?(.*)$/.exec(type) ?? [];
    return { base: base ?? '', rest: rest ?? '' };
  };
  const [to, from] = [parts(now), parts(then)];
  if (to.rest !== from.rest) return false;
  if (TEXT.includes(to.base) && TEXT.includes(from.base)) return true;
  const [large, small] = [WHOLE.indexOf(to.base), WHOLE.indexOf(from.base)];
  return small >= 0 && small <= large;
}

/** The temporary tables of the session. */
export function stageOf(client: Connection, shared: SharedRows): Stage {
  const count = (from: string, where = 'true') =>
    number(client, `select count(*) as n from ${from} where ${where}`);
  /** Columns by which rows of other tables belong to its rows, where the primary key does not begin with them. */
  const referredTo = ({ table }: PlannedTable) =>
    shared.plan.tables.flatMap(({ belongs }) => {
      if (!('through' in belongs) || keyOf(belongs.parent) !== keyOf(table)) return [];
      const { toColumns } = belongs.through;
      return toColumns.every((column, at) => table.primaryKey[at] === column) ? [] : [toColumns];
    });
  return new Stage(
    {
      engine: ENGINE,
      takes,
      name: (position) => q(shared.database, `__sovereign_stage_${position + 1}`),
      async create({ table, planned, drift, name }) {
        const { primaryKey } = planned.table;
        const all = (columns: readonly string[]) =>
          columns.length > 0 && columns.every((column) => drift.kept.includes(column));
        // Rows come in the order of the primary key, so that keeping them by it costs nothing.
        const more = [
          ...drift.dropped.map((column) => `${q(column)} longblob`),
          ...(all(primaryKey) ? [`primary key (${shared.table(table).key})`] : []),
          ...referredTo(planned)
            .filter(all)
            .map((columns) => `key (${names(columns)})`),
        ];
        await client.query(
          `create temporary table ${name} ${more.length > 0 ? `(${more.join(', ')})` : ''} engine=InnoDB
           select ${names(drift.kept, 't')} from ${shared.live(table)} t limit 0`,
        );
      },
      async index() {},
      count: ({ name }) => count(name),
      filled: ({ name }, column) => count(name, `${q(column)} is not null`),
      foreign({ planned, name }, at) {
        const { from, where } = shared.others(planned, (table) =>
          keyOf(table) === keyOf(planned.table) ? name : at(table),
        );
        return count(from, where);
      },
      async taken({ planned, name }) {
        const key = planned.table.primaryKey;
        // Beginning with the staged rows, one look into the live table's key for each of them.
        const { from, where } = shared.others(planned);
        const found = await select<Record<string, string | null>>(
          client,
          `select ${names(key, 's')} from ${name} s straight_join ${from} where ${equal('t', key, 's', key)} and ${where} limit 5`,
        );
        return found.map((row) => `(${Object.values(row).join(',')})`);
      },
      present(planned) {
        const { from, where } = shared.own(planned);
        return count(from, where);
      },
    },
    shared,
  );
}

/** Loads the rows of an archive, to its end, into temporary tables. */
export async function stageArchive(
  client: Connection,
  shared: SharedRows,
  request: Pick<EngineRestoreRequest, 'tables' | 'checksums'>,
  dump: Readable,
): Promise<Staged> {
  const stage = stageOf(client, shared);
  const expected = new Map(
    request.tables.map((table) => [keyOf({ schema: DEFAULT_SCHEMA, table: table.name }), table]),
  );
  const digests = digestsLike(request.checksums);
  let head: ContainerHead | undefined;
  let current: { table: ContainerTable; loader: Loader } | undefined;
  let streams: boolean | undefined;
  for await (const part of readContainer(dump as AsyncIterable<Buffer>)) {
    if ('head' in part) {
      head = part.head;
      await stage.open(head);
    } else if ('table' in part) {
      digests?.add(part.table, part.bytes);
      if (current?.table !== part.table) {
        await current?.loader.end();
        current = undefined;
        const place = stage.place(part.table);
        if (place) {
          streams ??= await takesStreams(client, place);
          current = { table: part.table, loader: new Loader(client, place, streams) };
        }
      }
      await current?.loader.push(part.bytes);
    } else await current?.loader.end();
  }
  digests?.check(head!.tables, (table) => expected.get(keyOf(table))?.checksum);
  return stage.close(new Map([...expected].map(([key, { rows }]) => [key, rows])));
}
