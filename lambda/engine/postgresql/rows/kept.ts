import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { OperationError } from '../../../errors.js';
import type { ContainerHead } from '../../../tenancy/container.js';
import { keyOf } from '../../../tenancy/description.js';
import { headOf } from '../../../tenancy/dump.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { Staged, StagedTable } from '../../../tenancy/stage.js';
import { type Mark, markOf } from '../marks.js';
import { isDerivedName, undoName } from '../names.js';
import { publishingAll } from '../replication.js';
import { type Beside, besideOf } from './beside.js';
import { names, relation, type SharedRows } from './shared-rows.js';
import { into, stageOf } from './stage.js';

const q = pg.escapeIdentifier;

/** Rows of a tenant that a restore put aside: a schema of its own in the same database, for its owner alone. */
export interface Kept {
  readonly schema: string;
  readonly at: Date;
}

/** The tenant's rows as they were when the transaction began. */
export interface Present {
  readonly kept: Kept;
  /** Where they were put aside, as SQL. */
  readonly places: ReadonlyMap<PlannedTable, string>;
  readonly rows: ReadonlyMap<PlannedTable, number>;
  /** Of tables whose rows were held against the staged ones. */
  readonly beside: ReadonlyMap<PlannedTable, Beside>;
  /** By number; whatever they hold is ours. */
  readonly relations: readonly number[];
}

/** What a kept copy's name is made of, so that it is told from a kept database or schema of the same name. */
function baseOf(value: string): string {
  return `rows of ${value}`;
}

/**
 * Called in the restore's transaction: the copy is there if and only if the restore is. The rows are held against the
 * staged ones as they pass, where these are given.
 */
export async function keepPresent(
  client: pg.Client,
  rows: SharedRows,
  tenant: string,
  staged: readonly StagedTable[],
): Promise<Present> {
  const at = new Date();
  const schema = undoName(baseOf(rows.value), at, randomBytes(2).toString('hex'));
  const mark: Mark = {
    tool: 'sovereign-backup',
    kind: 'undo',
    tenant,
    database: baseOf(rows.value),
    at: at.toISOString(),
  };
  await client.query(`create schema ${q(schema)}`);
  await client.query(`comment on schema ${q(schema)} is ${pg.escapeLiteral(JSON.stringify(mark))}`);
  await closeToOthers(client, schema);
  const counts = new Map<PlannedTable, number>();
  const places = new Map<PlannedTable, string>();
  const beside = new Map<PlannedTable, Beside>();
  const waiting = new Map(staged.map((each) => [each.planned, each]));
  // Only what is not logged is not published. What is kept is then lost with a crash of the server, which a warning says.
  const table = (await publishingAll(client)) === undefined ? 'table' : 'unlogged table';
  const head = headOf(rows, (position) => `t${position + 1}`);
  for (const [position, planned] of rows.plan.tables.entries()) {
    const columns = rows.columns(planned.table);
    const name = `${q(schema)}.t${position + 1}`;
    const other = waiting.get(planned);
    const held = other && besideOf(rows, other);
    if (held) beside.set(planned, held.names);
    const { rowCount } = await client.query(
      `create ${table} ${name} as select ${names(columns, 't')}${held ? `, ${held.select}` : ''}
       from ${relation(planned.table)} t ${held ? `left join ${other.name} s on ${held.on}` : ''} where ${rows.belongs(planned, 't')}`,
    );
    places.set(planned, name);
    counts.set(planned, rowCount!);
  }
  await client.query(
    `create ${table} ${q(schema)}.head as select ${pg.escapeLiteral(JSON.stringify(head))}::text as head`,
  );
  const { rows: made } = await client.query<{ oid: string }>(
    'select c.oid::int8::text as oid from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1',
    [schema],
  );
  return {
    kept: { schema, at },
    places,
    rows: counts,
    beside,
    relations: made.map(({ oid }) => Number(oid)),
  };
}

/** Leaves of a kept copy the rows alone. */
export async function dropBeside(client: pg.Client, { places, beside }: Present): Promise<void> {
  for (const [planned, { at, staged, same }] of beside) {
    const drop = [at, staged, same].map((name) => `drop column ${q(name)}`);
    await client.query(`alter table ${places.get(planned)!} ${drop.join(', ')}`);
  }
}

/** Default privileges can open a new schema to other roles; what is in it is one tenant's data. */
async function closeToOthers(client: pg.Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ grantee: string | null }>(
    `select distinct r.rolname as grantee from pg_namespace n cross join aclexplode(n.nspacl) a
     left join pg_roles r on r.oid = a.grantee where n.nspname = $1 and a.grantee <> n.nspowner`,
    [schema],
  );
  for (const { grantee } of rows)
    await client.query(`revoke all on schema ${q(schema)} from ${grantee === null ? 'public' : q(grantee)}`);
}

/** The newest copy that a restore or an undo of this tenant has kept. */
export async function newestKept(client: pg.Client, value: string): Promise<Kept | undefined> {
  const { rows } = await client.query<{ name: string; note: string | null }>(
    `select nspname as name, obj_description(oid, 'pg_namespace') as note from pg_namespace
     where pg_has_role(nspowner, 'USAGE')`,
  );
  const found = rows.flatMap(({ name, note }) => {
    const mark = markOf(note);
    const ours =
      mark?.kind === 'undo' && mark.database === baseOf(value) && isDerivedName(name, 'undo', mark.database);
    return ours ? [{ schema: name, at: new Date(mark.at) }] : [];
  });
  return found.sort((a, b) => b.at.getTime() - a.at.getTime())[0];
}

export async function readHead(client: pg.Client, { schema }: Kept): Promise<ContainerHead> {
  const { rows } = await client.query<{ head: string }>(`select head from ${q(schema)}.head`);
  try {
    return JSON.parse(rows[0]!.head) as ContainerHead;
  } catch {
    throw new OperationError(
      `the kept copy ${JSON.stringify(schema)} does not say what it holds; it was not touched`,
    );
  }
}

/** Brings a kept copy to where an archive would be brought, with the same checks. */
export async function stageKept(
  client: pg.Client,
  rows: SharedRows,
  kept: Kept,
  head: ContainerHead,
): Promise<Staged> {
  const stage = stageOf(client, rows);
  await stage.open(head);
  const counts = new Map<string, number>();
  for (const table of head.tables) {
    const from = `${q(kept.schema)}.${q(table.folder)} t`;
    const columns = table.columns.map(({ name }) => name);
    const { rows: counted } = await client.query<{ count: string }>(`select count(*) as count from ${from}`);
    counts.set(keyOf(table), Number(counted[0]!.count));
    const place = stage.place(table);
    if (place) await client.query(`insert into ${into(place)} select ${names(columns, 't')} from ${from}`);
  }
  return stage.close(counts);
}

/** What was kept is live again. */
export async function dropKept(client: pg.Client, { schema }: Kept): Promise<void> {
  await client.query(`drop schema ${q(schema)} cascade`);
}
