import { InputError, OperationError } from '../errors.js';
import type { ContainerHead, ContainerTable } from './container.js';
import { keyOf, nameOf, type TableName } from './description.js';
import { type Drift, driftOf, type Takes } from './drift.js';
import type { TenancyPlan } from './plan.js';
import type { PlannedTable } from './planned-table.js';

/** One table's rows to come, in a temporary table of the session. */
export interface StagedTable {
  readonly planned: PlannedTable;
  readonly archived: ContainerTable;
  /** As SQL. */
  readonly name: string;
  /** The columns that are written; others of the live table take their defaults. */
  readonly columns: readonly string[];
  readonly rows: number;
}

/** Whether the archive's rows have the columns that the live table has, no more and no fewer, in whatever order. */
export function hasColumns({ columns }: StagedTable, live: readonly string[]): boolean {
  return live.length === columns.length && live.every((column) => columns.includes(column));
}

export interface Staged {
  readonly tables: readonly StagedTable[];
  /** Tables of the archive that the live database no longer has; the archive has no rows of them. */
  readonly gone: readonly ContainerTable[];
  readonly warnings: readonly string[];
}

/** A table of the archive that the live database has, and where its rows wait. */
export interface Place {
  readonly table: ContainerTable;
  readonly planned: PlannedTable;
  readonly drift: Drift;
  /** As SQL. */
  readonly name: string;
}

/** What staging asks of an engine, in its SQL. */
export interface StageSql {
  /** As written into containers, and as people call it. */
  readonly engine: { readonly name: string; readonly title: string };
  readonly takes: Takes;
  name(position: number): string;
  create(place: Place): Promise<void>;
  /** All rows are in: makes the checks quick, and refuses two of one primary key. */
  index(place: Place): Promise<void>;
  count(place: Place): Promise<number>;
  /** Rows that have something in this column. */
  filled(place: Place, column: string): Promise<number>;
  /** Rows that are not the tenant's; `at` says where the rows of its parents wait. */
  foreign(place: Place, at: (table: TableName) => string): Promise<number>;
  /** Primary keys of rows that are another tenant's in the live table, some of them. */
  taken(place: Place): Promise<string[]>;
  /** The tenant's live rows. */
  present(planned: PlannedTable): Promise<number>;
}

/** Brings an archive's rows, or a kept copy's, beside the live ones, and refuses what does not fit. */
export class Stage {
  public readonly warnings: string[] = [];
  private readonly places = new Map<string, Place>();
  /** Tables that are gone from the live database: bearable only where they hold nothing. */
  private readonly gone = new Map<string, ContainerTable>();

  public constructor(
    private readonly sql: StageSql,
    private readonly rows: { readonly value: string; readonly plan: TenancyPlan },
  ) {}

  public async open(head: ContainerHead): Promise<void> {
    const { engine } = this.sql;
    if (head.engine !== engine.name)
      throw new InputError(`the archive's rows are of ${head.engine}, and the server is ${engine.title}`);
    if (head.tenant !== this.rows.value)
      throw new InputError(
        `the archive's rows are of tenant ${JSON.stringify(head.tenant)}, and ${JSON.stringify(this.rows.value)} was asked for`,
      );
    const live = new Map(this.rows.plan.tables.map((each) => [keyOf(each.table), each]));
    const problems: string[] = [];
    for (const [at, table] of head.tables.entries()) {
      const planned = live.get(keyOf(table));
      if (!planned) {
        this.gone.set(table.folder, table);
        continue;
      }
      const drift = driftOf(table, planned.table, this.sql.takes);
      problems.push(...drift.problems);
      this.warnings.push(...drift.warnings);
      this.places.set(table.folder, { table, planned, drift, name: this.sql.name(at) });
    }
    if (problems.length > 0)
      throw new InputError(`the tables have changed since the archive was written: ${problems.join('; ')}`);
    for (const place of this.places.values()) await this.sql.create(place);
  }

  /** Where a table's rows go: undefined where the table is gone, and then it may have none. */
  public place(table: ContainerTable): Place | undefined {
    return this.places.get(table.folder);
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
    const at = new Map([...this.places.values()].map((place) => [keyOf(place.table), place]));
    for (const place of at.values()) await this.sql.index(place);
    const tables: StagedTable[] = [];
    for (const planned of this.rows.plan.tables) {
      const place = at.get(keyOf(planned.table));
      if (!place) {
        await this.mustBeEmpty(planned);
        continue;
      }
      const rows = await this.sql.count(place);
      const expected = counts.get(keyOf(planned.table));
      if (rows !== expected)
        throw new OperationError(
          `${nameOf(planned.table)} has ${rows} rows in the archive, and its manifest says ${expected ?? 'none'}; nothing was changed`,
        );
      await this.checkDropped(place);
      await this.checkTenant(place, (table) => at.get(keyOf(table))?.name ?? 'nowhere');
      await this.checkKeys(place);
      tables.push({
        planned,
        archived: place.table,
        name: place.name,
        columns: place.drift.kept,
        rows,
      });
    }
    return { tables, gone: [...this.gone.values()], warnings: this.warnings };
  }

  private async checkDropped(place: Place): Promise<void> {
    for (const column of place.drift.dropped) {
      const filled = await this.sql.filled(place, column);
      if (filled > 0)
        throw new InputError(
          `the tables have changed since the archive was written: ${nameOf(place.table)}.${column} was dropped, and ${filled} rows of the archive have a value in it`,
        );
      this.warnings.push(`${nameOf(place.table)}.${column} was dropped since; the archive has nothing in it`);
    }
  }

  private async checkTenant(place: Place, at: (table: TableName) => string): Promise<void> {
    const foreign = await this.sql.foreign(place, at);
    if (foreign > 0)
      throw new OperationError(
        `the archive holds ${foreign} rows of ${nameOf(place.table)} that are not of tenant ${JSON.stringify(this.rows.value)}; nothing was changed`,
      );
  }

  /** A number that was free when the archive was written can be another tenant's by now. */
  private async checkKeys(place: Place): Promise<void> {
    const key = place.planned.table.primaryKey;
    // Where the engine computes a part of the key, it alone knows: it lets no row in beside another.
    if (key.length === 0 || !key.every((column) => place.drift.kept.includes(column))) return;
    if (this.keyTells(place)) return;
    const taken = await this.sql.taken(place);
    if (taken.length > 0)
      throw new InputError(
        `${nameOf(place.table)} has rows of other tenants under primary keys that the archive's rows have: ${taken.join(', ')}; nothing was changed`,
      );
  }

  /**
   * Whether a primary key tells by itself whose the row is: it holds the tenant, or a foreign key to the primary key of
   * the row's parent. Then the parents' keys, which are looked at, speak for these.
   */
  private keyTells({ planned: { table, belongs } }: Place): boolean {
    const within = (columns: readonly string[], key: readonly string[]) =>
      columns.every((column) => key.includes(column));
    if ('column' in belongs) return table.primaryKey.includes(belongs.column);
    const { through, parent } = belongs;
    return within(through.columns, table.primaryKey) && within(parent.primaryKey, through.toColumns);
  }

  private async mustBeEmpty(planned: PlannedTable): Promise<void> {
    const rows = await this.sql.present(planned);
    const name = nameOf(planned.table);
    if (rows > 0)
      throw new InputError(
        `table ${name} is not in the archive, and the tenant has ${rows} rows in it: a restore cannot say what becomes of them; remove them first, or take a newer archive`,
      );
    this.warnings.push(`table ${name} is not in the archive; the tenant has no rows in it`);
  }
}
