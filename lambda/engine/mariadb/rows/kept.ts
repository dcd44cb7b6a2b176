import { createHash, randomBytes } from 'node:crypto';
import { OperationError } from '../../../errors.js';
import type { ContainerHead } from '../../../tenancy/container.js';
import { keyOf } from '../../../tenancy/description.js';
import type { PlannedTable } from '../../../tenancy/planned-table.js';
import type { Staged } from '../../../tenancy/stage.js';
import { type Connection, literal, q, rows as select } from '../connect.js';
import { MARKER } from '../marks.js';
import { isDerivedName, undoName } from '../names.js';
import { rowsHead } from './dump.js';
import { into } from './load.js';
import { names, number, type SharedRows } from './shared-rows.js';
import { stageOf } from './stage.js';

/** Rows of a tenant that a restore put aside: a database of their own on the same server. */
export interface Kept {
  readonly database: string;
  readonly at: Date;
}

/**
 * Definitions of tables cannot be part of a transaction here, so a copy's tables are there before its rows are. Only the
 * transaction that puts the rows into it makes it `kept`; and the one that brings them back makes it `spent`.
 */
type State = 'begun' | 'kept' | 'spent';

interface Note {
  readonly tool: 'sovereign-backup';
  readonly kind: 'undo';
  readonly tenant: string;
  readonly database: string;
  readonly at: string;
  readonly rows: State;
}

/** What a kept copy's name is made of: of this tenant in this database, whatever characters they are called by. */
function baseOf(database: string, value: string): string {
  const plain = value
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '_')
    .slice(0, 16);
  const hash = createHash('sha256')
    .update(JSON.stringify([database, value]))
    .digest('hex');
  return `rows_of_${plain}_${hash.slice(0, 8)}`;
}

/** Makes the empty copy, before the transaction that fills it. */
export async function createKept(client: Connection, shared: SharedRows, tenant: string): Promise<Kept> {
  const at = new Date();
  const base = baseOf(shared.database, shared.value);
  const database = undoName(base, at, randomBytes(2).toString('hex'));
  const kept = { database, at };
  await client.query(`create database ${q(database)} default character set utf8mb4`);
  await client.query(
    `create table ${q(database, MARKER)} (id int primary key, note longtext not null) engine=InnoDB default charset=utf8mb4`,
  );
  await note(client, kept, { tenant, database: base, rows: 'begun' });
  const head = rowsHead(shared, (position) => `t${position + 1}`);
  for (const table of head.tables) {
    const { key, primaryKey } = shared.table(table);
    const columns = table.columns.map(({ name }) => name);
    // MySQL takes a computed column for a key, and what it computes is not put aside.
    const keyed = primaryKey.length > 0 && primaryKey.every((column) => columns.includes(column));
    await client.query(
      `create table ${q(database, table.folder)} ${keyed ? `(primary key (${key}))` : ''} engine=InnoDB
       select ${names(columns, 't')} from ${shared.live(table)} t limit 0`,
    );
  }
  await client.query(
    `create table ${q(database, 'head')} (id int primary key, head longtext not null) engine=InnoDB default charset=utf8mb4`,
  );
  await client.query(`insert into ${q(database, 'head')} values (1, ${literal(JSON.stringify(head))})`);
  return kept;
}

async function note(
  client: Connection,
  { database, at }: Kept,
  { rows, tenant, database: base }: Pick<Note, 'rows' | 'tenant' | 'database'>,
): Promise<void> {
  const text: Note = {
    tool: 'sovereign-backup',
    kind: 'undo',
    tenant,
    database: base,
    at: at.toISOString(),
    rows,
  };
  await client.query(`replace into ${q(database, MARKER)} values (1, ${literal(JSON.stringify(text))})`);
}

/** Called in the transaction: what becomes of the copy if it commits. */
export async function markKept(
  client: Connection,
  shared: SharedRows,
  tenant: string,
  kept: Kept,
  rows: State,
): Promise<void> {
  await note(client, kept, { tenant, database: baseOf(shared.database, shared.value), rows });
}

/** Where a table's present rows are put aside, as SQL. */
export function keptTable({ plan }: SharedRows, { database }: Kept, planned: PlannedTable): string {
  return q(database, `t${plan.tables.indexOf(planned) + 1}`);
}

/** The newest copy that a restore or an undo of this tenant has kept. */
export async function newestKept(
  client: Connection,
  database: string,
  value: string,
): Promise<Kept | undefined> {
  const copies = await copiesOf(client, database, value);
  return copies
    .flatMap(({ name, note: found }) =>
      found?.rows === 'kept' ? [{ database: name, at: new Date(found.at) }] : [],
    )
    .sort((a, b) => b.at.getTime() - a.at.getTime())[0];
}

/** Drops what killed restores left, and what is live again; whoever calls holds the lock on this tenant's restores. */
export async function sweepKept(client: Connection, database: string, value: string): Promise<void> {
  for (const { name, note: found } of await copiesOf(client, database, value)) {
    if (found ? found.rows !== 'kept' : await isEmpty(client, name)) await dropKept(client, name);
  }
}

export async function dropKept(client: Connection, database: string): Promise<void> {
  await client.query(`drop database if exists ${q(database)}`);
}

/** Killed before the note was in it. */
async function isEmpty(client: Connection, database: string): Promise<boolean> {
  const tables = await select<{ name: string }>(
    client,
    'select table_name as name from information_schema.tables where table_schema = ?',
    [database],
  );
  return tables.every(({ name }) => name === MARKER);
}

async function copiesOf(client: Connection, database: string, value: string) {
  const base = baseOf(database, value);
  const found = await select<{ name: string }>(
    client,
    'select schema_name as name from information_schema.schemata order by schema_name',
  );
  const copies: { name: string; note?: Note }[] = [];
  for (const { name } of found) {
    if (!isDerivedName(name, 'undo', base)) continue;
    const text = await readNote(client, name);
    copies.push(text?.database === base ? { name, note: text } : { name });
  }
  return copies;
}

async function readNote(client: Connection, copy: string): Promise<Note | undefined> {
  try {
    const [row] = await select<{ note: string }>(client, `select note from ${q(copy, MARKER)}`);
    const found = JSON.parse(row?.note ?? 'null') as Note | null;
    return found?.tool === 'sovereign-backup' && found.kind === 'undo' ? found : undefined;
  } catch {
    return undefined;
  }
}

export async function readHead(client: Connection, { database }: Kept): Promise<ContainerHead> {
  const [row] = await select<{ head: string }>(client, `select head from ${q(database, 'head')}`);
  try {
    return JSON.parse(row!.head) as ContainerHead;
  } catch {
    throw new OperationError(
      `the kept copy ${JSON.stringify(database)} does not say what it holds; it was not touched`,
    );
  }
}

/** Brings a kept copy to where an archive would be brought, with the same checks. */
export async function stageKept(
  client: Connection,
  shared: SharedRows,
  { database }: Kept,
  head: ContainerHead,
): Promise<Staged> {
  const stage = stageOf(client, shared);
  await stage.open(head);
  const counts = new Map<string, number>();
  for (const table of head.tables) {
    const from = q(database, table.folder);
    counts.set(keyOf(table), await number(client, `select count(*) as n from ${from}`));
    const place = stage.place(table);
    const columns = names(table.columns.map(({ name }) => name));
    if (place) await client.query(`insert into ${into(place)} select ${columns} from ${from}`);
  }
  return stage.close(counts);
}
