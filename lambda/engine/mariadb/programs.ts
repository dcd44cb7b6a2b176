import { InputError } from '../../errors.js';
import { isAscii } from './charset.js';
import { type Connection, literal, one, q, rows, SESSION } from './connect.js';
import {
  commentAt,
  createHead,
  type Kind,
  splice,
  tableAt,
  unqualifiedTrigger,
  unqualifiedView,
} from './head.js';

/** What shows the bodies of others' routines. */
export const READ_ROUTINES =
  'SELECT on mysql.proc, MariaDB 11.3 and newer SHOW CREATE ROUTINE, MySQL SHOW_ROUTINE';

/** A view, trigger, routine or event: its statement, and what the statement means depends on. */
export interface Program {
  readonly kind: Exclude<Kind, 'TABLE' | 'SEQUENCE'>;
  readonly name: string;
  readonly sql: string;
  readonly mode: string;
  readonly charset: string;
  readonly collation: string;
  readonly timeZone?: string;
}

const LISTS = `
  select routine_schema as db, routine_type as kind, routine_name as name, routine_comment as said, 0 as place from information_schema.routines where routine_schema = ?
  union all select table_schema, 'VIEW', table_name, '', 1 from information_schema.views where table_schema = ?
  union all select trigger_schema, 'TRIGGER', trigger_name, event_object_table, 2 + action_order from information_schema.triggers where trigger_schema = ?
  union all select event_schema, 'EVENT', event_name, event_comment, 1000000 from information_schema.events where event_schema = ?
  order by place, kind, name`;

/** Every program of a database, in an order in which they can be made again: triggers in the order of their firing. */
export async function readPrograms(client: Connection, database: string): Promise<Program[]> {
  // A statement shows names without their schema where that is the current one.
  await client.query(`use ${q(database)}`);
  const list = await rows<Listed>(client, LISTS, Array(4).fill(database));
  const found: Program[] = [];
  for (const listed of list) {
    const { db, kind, name } = listed;
    // The server takes some names for the same that differ in case.
    if (db !== database) continue;
    const row = await one<Record<string, string | null>>(client, `show create ${kind} ${q(name)}`);
    const sql =
      kind === 'TRIGGER'
        ? row['SQL Original Statement']
        : Object.entries(row).find(
            ([column]) => column.toLowerCase() === `create ${kind.toLowerCase()}`,
          )?.[1];
    if (!sql)
      throw new InputError(
        `the definition of ${kind.toLowerCase()} ${JSON.stringify(name)} in database ${JSON.stringify(database)} may not be read; grant this user SHOW VIEW, and for routines of other accounts ${READ_ROUTINES}`,
      );
    const mode = row.sql_mode ?? '';
    found.push({
      kind,
      name,
      sql: asItIs(listed, unqualified(kind, sql, database), mode),
      mode,
      charset: row.character_set_client ?? 'utf8mb4',
      collation: row.collation_connection ?? 'utf8mb4_general_ci',
      ...(row.time_zone ? { timeZone: row.time_zone } : {}),
    });
  }
  return found;
}

interface Listed {
  readonly db: string;
  readonly kind: Program['kind'];
  readonly name: string;
  /** The comment, or the table of a trigger. */
  readonly said: string | null;
}

/**
 * SHOW CREATE takes comments and the names of events, in MySQL also those of triggers, their tables, and routines, for text
 * in the character set of the client that made them, which they are not; and it writes backslashes also where they are
 * nothing but that.
 */
function asItIs({ kind, name, said }: Listed, sql: string, mode: string): string {
  const head = createHead(sql);
  if (!head) return sql;
  const isNamed = isAscii(sql) || kind === 'VIEW' || head.name === name;
  const named = (text: string) => (isNamed ? text : splice(text, head.nameAt, q(name)));
  if (kind === 'TRIGGER') {
    const table = isAscii(sql) ? undefined : tableAt(head);
    return named(table && table.name !== said ? splice(sql, table, q(said!)) : sql);
  }
  const plain = mode.split(',').includes('NO_BACKSLASH_ESCAPES');
  const comment = said ? commentAt(head) : undefined;
  const wrong = comment && (!isAscii(said!) || (plain && /[\\\n\r]/.test(said!)));
  const quoted = plain ? `'${said?.replaceAll("'", "''")}'` : literal(said ?? '');
  const text = wrong ? splice(sql, comment, quoted) : sql;
  return named(text);
}

function unqualified(kind: Program['kind'], sql: string, database: string): string {
  if (kind === 'TRIGGER') return unqualifiedTrigger(sql);
  return kind === 'VIEW' ? unqualifiedView(sql, database) : sql;
}

/** A statement, the settings that it needs, and our own settings again. */
export interface Step {
  readonly before: string;
  readonly sql: string;
  readonly after: string;
}

export function dropStep({ kind, name }: Pick<Program, 'kind' | 'name'>): Step {
  // Before version 11 nothing is known of packages in any other mode.
  const mode = kind.startsWith('PACKAGE') ? 'ORACLE' : '';
  return {
    before: `set session sql_mode = '${mode}'`,
    sql: `drop ${kind.toLowerCase()} if exists ${q(name)}`,
    after: SESSION,
  };
}

/** With the settings under which the program was made. */
export function createStep(program: Program): Step {
  const settings = [
    `sql_mode = ${literal(program.mode)}`,
    // Both the driver and a text within a statement are UTF-8; plain ASCII is the same in all.
    `character_set_client = ${isAscii(program.sql) ? program.charset.replace(/\W/g, '') : 'utf8mb4'}`,
    `collation_connection = ${program.collation.replace(/\W/g, '')}`,
    ...(program.timeZone ? [`time_zone = ${literal(program.timeZone)}`] : []),
  ];
  const sql = program.kind === 'VIEW' ? program.sql.replace(/^CREATE /, 'CREATE OR REPLACE ') : program.sql;
  return { before: `set session ${settings.join(', ')}`, sql, after: SESSION };
}

export async function take(client: Connection, { before, sql, after }: Step): Promise<void> {
  try {
    await client.query(before);
    await client.query(sql);
  } finally {
    await client.query(after);
  }
}

export const createProgram = (client: Connection, program: Program) => take(client, createStep(program));
export const dropProgram = (client: Connection, program: Pick<Program, 'kind' | 'name'>) =>
  take(client, dropStep(program));

export function sameProgram(a: Program | undefined, b: Program | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

const plain = ({ kind, name, sql, mode }: Program) => [kind, name, sql, mode];

/** The programs of a list that another one lacks, or has otherwise. */
export function without(list: readonly Program[], other: readonly Program[]): Program[] {
  return list.filter((program) => !sameProgram(program, find(other, program)));
}

export const triggersOf = (list: readonly Program[]) => list.filter(({ kind }) => kind === 'TRIGGER');

export function find(list: readonly Program[], { kind, name }: Pick<Program, 'kind' | 'name'>) {
  return list.find((other) => other.kind === kind && other.name === name);
}
