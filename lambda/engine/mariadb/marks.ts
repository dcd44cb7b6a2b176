import { type Connection, literal, q, rows } from './connect.js';
import { type CopyKind, isDerivedName } from './names.js';
import type { Program } from './programs.js';

/** A table of ours in every copy. MySQL knows no comments on databases, so the note stands in a table. */
export const MARKER = '__sovereign_backup';

/**
 * The note in a copy. Whoever may write to any database can write such a table; only who may create databases gives
 * it a name of ours: so a copy counts only when note and name agree.
 */
export interface Mark {
  readonly tool: 'sovereign-backup';
  readonly kind: CopyKind;
  readonly tenant: string;
  readonly database: string;
  /** Of a side copy: the time of its archive. Of an undo copy: when it was put aside. */
  readonly at: string;
  readonly archive?: string;
  /** Views, triggers, routines and events that the database had while it was live: they go by no RENAME. */
  readonly programs?: readonly Program[];
  /** A swap that is not known to be over; who finds it finishes it, or takes it back. */
  readonly swap?: Swap;
  /** Nothing is in the copy yet but stand-ins of tables, on which the live triggers were tried. */
  readonly trial?: true;
}

export interface Swap {
  /** From where the new tables come; dropped in the end. */
  readonly next: string;
  readonly programs: readonly Program[];
  /** False: there was no live database, so the copy is dropped in the end. */
  readonly keep: boolean;
}

export async function writeMark(client: Connection, copy: string, mark: Mark): Promise<void> {
  await client.query(
    `create table if not exists ${q(copy, MARKER)} (id int primary key, note longtext not null) engine=InnoDB default charset=utf8mb4`,
  );
  await client.query(`replace into ${q(copy, MARKER)} values (1, ${literal(JSON.stringify(mark))})`);
}

async function readMark(client: Connection, copy: string): Promise<Mark | undefined> {
  try {
    const [row] = await rows<{ note: string }>(client, `select note from ${q(copy, MARKER)}`);
    const mark = JSON.parse(row?.note ?? 'null') as Mark | null;
    return mark?.tool === 'sovereign-backup' && typeof mark.database === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}

export interface Copy {
  readonly name: string;
  /** Absent: only its name speaks for it. */
  readonly mark?: Mark;
}

/** The databases whose name, and note where they have one, say that they are copies of this one. */
export async function copiesOf(client: Connection, kind: CopyKind, database: string): Promise<Copy[]> {
  const found = await rows<{ name: string }>(
    client,
    'select schema_name as name from information_schema.schemata order by schema_name',
  );
  const copies: Copy[] = [];
  for (const { name } of found) {
    if (!isDerivedName(name, kind, database)) continue;
    const mark = await readMark(client, name);
    copies.push(mark?.kind === kind && mark.database === database ? { name, mark } : { name });
  }
  return copies;
}

/** Drops a copy of ours with all that is in it. */
export async function dropCopy(client: Connection, name: string): Promise<void> {
  await client.query(`drop database if exists ${q(name)}`);
}
