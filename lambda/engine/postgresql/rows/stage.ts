import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import { type ContainerHead, type ContainerTable, readContainer } from '../../../tenancy/container.js';
import { keyOf, nameOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/plan.js';
import type { TableRows } from '../../engine.js';
import { type Drift, driftOf } from './drift.js';
import { names, relation, type SharedRows } from './shared-rows.js';

/** One table's rows to come, in a temporary table of the session. */
export interface StagedTable {
  readonly planned: PlannedTable;
  /** As SQL. */
  readonly name: string;
  /** The columns that are written; others of the live table take their defaults. */
  readonly columns: readonly string[];
  readonly rows: number;
}

export interface Staged {
  readonly tables: readonly StagedTable[];
  readonly warnings: readonly string[];
}

/** Makes the temporary tables for what an archive, or a kept copy, says it holds; refuses what does not fit. */
export class Stage {
  public readonly warnings: string[] = [];
  private readonly places = new Map<
    string,
    { table: ContainerTable; name: string; drift: Drift; rows: number }
  >();
  /** Tables that are gone from the live database: bearable only where they hold nothing. */
  private readonly gone = new Map<string, ContainerTable>();

  public constructor(
    private readonly client: pg.Client,
    private readonly rows: SharedRows,
  ) {}

  public async open(head: ContainerHead): Promise<void> {
    if (head.engine !== 'postgresql')
      throw new InputError(`the archive's rows are of ${head.engine}, and the server is PostgreSQL`);
    if (head.tenant !== this.rows.value)
      throw new InputError(
        `the archive's rows are of tenant ${JSON.stringify(head.tenant)}, and ${JSON.stringify(this.rows.value)} was asked for`,
      );
    const planned = new Map(this.rows.plan.tables.map((each) => [keyOf(each.table), each]));
    const problems: string[] = [];
    for (const [at, table] of head.tables.entries()) {
      const live = planned.get(keyOf(table));
      if (!live) {
        this.gone.set(table.folder, table);
        continue;
      }
      const drift = driftOf(table, live.table);
      problems.push(...drift.problems);
      this.warnings.push(...drift.warnings);
      this.places.set(table.folder, { table, name: `pg_temp.staged_${at + 1}`, drift, rows: 0 });
    }
    if (problems.length > 0)
      throw new InputError(`the tables have changed since the archive was written: ${problems.join('; ')}`);
    for (const { table, name, drift } of this.places.values()) {
      const columns = table.columns.map(({ name: column }) =>
        drift.dropped.includes(column) ? `null::text as ${names([column])}` : `t.${names([column])}`,
      );
      await this.client.query(`create temporary table ${name.replace('pg_temp.', '')} as
        select ${columns.join(', ')} from ${relation(table)} t with no data`);
    }
  }

  /** Where a table's rows go: undefined where the table is gone, and then it may have none. */
  public place(table: ContainerTable): string | undefined {
    const place = this.places.get(table.folder);
    return place && `${place.name} (${names(table.columns.map(({ name }) => name))})`;
  }

  /** All rows are in: holds them against their number, their tenant and the live tables. */
  public async close(counts: ReadonlyMap<string, number>): Promise<Staged> {
    for (const table of this.gone.values()) {
      const rows = counts.get(keyOf(table)) ?? 0;
      if (rows > 0)
        throw new InputError(
          `table ${nameOf(table)} is gone from the database, or no longer has tenants' rows, and the archive has ${rows} rows of it`,
        );
      this.warnings.push(`table ${nameOf(table)} is gone from the database; the archive has no rows of it`);
    }
    const tables: StagedTable[] = [];
    const at = new Map([...this.places.values()].map((place) => [keyOf(place.table), place]));
    for (const place of at.values()) await this.index(place.name, place.table, place.drift);
    for (const planned of this.rows.plan.tables) {
      const place = at.get(keyOf(planned.table));
      if (!place) {
        await this.mustBeEmpty(planned);
        continue;
      }
      const rows = await this.count(`select from ${place.name}`);
      const expected = counts.get(keyOf(planned.table));
      if (rows !== expected)
        throw new OperationError(
          `${nameOf(planned.table)} has ${rows} rows in the archive, and its manifest says ${expected ?? 'none'}; nothing was changed`,
        );
      await this.checkDropped(place);
      await this.checkTenant(planned, place.name, (table) => at.get(keyOf(table))?.name ?? 'nowhere');
      await this.checkKeys(planned, place.name);
      tables.push({ planned, name: place.name, columns: place.drift.kept, rows });
    }
    return { tables, warnings: this.warnings };
  }

  private async index(name: string, table: ContainerTable, drift: Drift): Promise<void> {
    const { primaryKey } = this.rows.live(table);
    if (primaryKey.length > 0 && primaryKey.every((column) => drift.kept.includes(column)))
      await this.client.query(`create unique index on ${name} (${names(primaryKey)})`).catch((error) => {
        throw new OperationError(
          `${nameOf(table)} has rows in the archive that the live table's primary key does not allow beside one another: ${reasonOf(error)}; nothing was changed`,
        );
      });
    await this.client.query(`analyze ${name}`);
  }

  private async checkDropped(place: { table: ContainerTable; name: string; drift: Drift }): Promise<void> {
    for (const column of place.drift.dropped) {
      const filled = await this.count(`select from ${place.name} where ${names([column])} is not null`);
      if (filled > 0)
        throw new InputError(
          `the tables have changed since the archive was written: ${nameOf(place.table)}.${column} was dropped, and ${filled} rows of the archive have a value in it`,
        );
      this.warnings.push(`${nameOf(place.table)}.${column} was dropped since; the archive has nothing in it`);
    }
  }

  private async checkTenant(
    planned: PlannedTable,
    name: string,
    of: (table: ContainerTable) => string,
  ): Promise<void> {
    const belongs = this.rows.belongs(planned, 't', of as Parameters<SharedRows['belongs']>[2]);
    const foreign = await this.count(`select from ${name} t where (${belongs}) is not true`);
    if (foreign > 0)
      throw new OperationError(
        `the archive holds ${foreign} rows of ${nameOf(planned.table)} that are not of tenant ${JSON.stringify(this.rows.value)}; nothing was changed`,
      );
  }

  /** A number that was free when the archive was written can be another tenant's by now. */
  private async checkKeys(planned: PlannedTable, name: string): Promise<void> {
    const key = planned.table.primaryKey;
    if (key.length === 0) return;
    // One look into the key's index for each staged row: the other way round the whole live table would be read.
    const taken = await this.client.query<{ key: string }>(
      `select row(${names(key, 's')})::text as key from ${name} s cross join lateral (
         select from ${relation(planned.table)} t
         where (${names(key, 't')}) = (${names(key, 's')}) and (${this.rows.belongs(planned, 't')}) is not true offset 0) other
       order by 1 limit 5`,
    );
    if (taken.rows.length > 0)
      throw new InputError(
        `${nameOf(planned.table)} has rows of other tenants under primary keys that the archive's rows have: ${taken.rows.map(({ key: text }) => text).join(', ')}; nothing was changed`,
      );
  }

  private async mustBeEmpty(planned: PlannedTable): Promise<void> {
    const rows = await this.count(
      `select from ${relation(planned.table)} t where ${this.rows.belongs(planned, 't')}`,
    );
    if (rows > 0)
      throw new InputError(
        `table ${nameOf(planned.table)} is not in the archive, and the tenant has ${rows} rows in it: a restore cannot say what becomes of them; remove them first, or take a newer archive`,
      );
    this.warnings.push(`table ${nameOf(planned.table)} is not in the archive; the tenant has no rows in it`);
  }

  private async count(query: string): Promise<number> {
    const { rows } = await this.client.query<{ count: string }>(
      `select count(*) as count from (${query}) counted`,
    );
    return Number(rows[0]!.count);
  }
}

/** Loads the rows of an archive, to its end, into temporary tables. */
export async function stageArchive(
  client: pg.Client,
  rows: SharedRows,
  expected: readonly TableRows[],
  dump: Readable,
): Promise<Staged> {
  const stage = new Stage(client, rows);
  let head: ContainerHead | undefined;
  let current:
    | { table: ContainerTable; copy: ReturnType<typeof copyFrom>; failed: Promise<never> }
    | undefined;
  const finish = async () => {
    if (!current) return;
    const { copy, failed } = current;
    current = undefined;
    copy.end();
    await Promise.race([once(copy, 'finish'), failed]);
  };
  for await (const part of readContainer(dump as AsyncIterable<Buffer>)) {
    if ('head' in part) {
      head = part.head;
      await stage.open(head);
    } else if ('table' in part) {
      if (current?.table !== part.table) {
        await finish();
        const place = stage.place(part.table);
        if (!place) continue;
        const copy = client.query(copyFrom(`copy ${place} from stdin`));
        const failed = once(copy, 'error').then(([error]) => {
          throw new InputError(
            `${nameOf(part.table)}: a row of the archive does not fit the live table: ${reasonOf(error)}${whereOf(error)}; nothing was changed`,
          );
        }) as Promise<never>;
        failed.catch(() => {});
        current = { table: part.table, copy, failed };
      }
      if (!current.copy.write(part.bytes)) await Promise.race([once(current.copy, 'drain'), current.failed]);
    } else await finish();
  }
  return stage.close(
    new Map(expected.map(({ schema, name, rows: count }) => [keyOf({ schema, table: name }), count])),
  );
}

/** Which line and column; not the value, which is a tenant's. */
function whereOf(error: unknown): string {
  const where = /^COPY staged_\d+, (line \d+(?:, column [^:]+)?)/.exec(
    (error as { where?: string }).where ?? '',
  );
  return where ? ` (${where[1]})` : '';
}
