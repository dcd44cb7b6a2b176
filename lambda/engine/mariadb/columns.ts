import { type Connection, rows } from './connect.js';

export interface Column {
  readonly name: string;
  /** `varchar`, `int`, ... */
  readonly type: string;
  /** Of text that does not always come back from UTF-8 as it was: its character set. */
  readonly lossy?: string;
  readonly nullable: boolean;
  /** Computed from others, or a time that the server itself keeps. */
  readonly generated: boolean;
  /** Of one that is computed and kept: from what, as SQL. */
  readonly kept?: string;
  /** As a person would write it: type, collation, default and so on. */
  readonly definition: string;
}

/** What turns into UTF-8 and back again without a loss, whatever is in it. */
const SURE_CHARSETS = ['utf8mb4', 'utf8mb3', 'utf8', 'ascii', 'latin1', 'ucs2', 'utf16', 'utf16le', 'utf32'];

export function isLossy(charset: string | null): charset is string {
  return charset !== null && !SURE_CHARSETS.includes(charset);
}

interface Row {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly full: string;
  readonly nullable: string;
  readonly charset: string | null;
  readonly collation: string | null;
  readonly preset: string | null;
  readonly extra: string;
  readonly expression: string | null;
}

const COLUMNS = `select table_name as \`table\`, column_name as name, data_type as type, column_type as \`full\`,
    is_nullable as nullable, character_set_name as charset, collation_name as collation, column_default as preset,
    extra as extra, generation_expression as expression
  from information_schema.columns where table_schema = ? order by table_name, ordinal_position`;

/** Of every table of a database, in their order; invisible ones, too. */
export async function readColumns(client: Connection, database: string): Promise<Map<string, Column[]>> {
  const found = new Map<string, Column[]>();
  for (const row of await rows<Row>(client, COLUMNS, [database])) {
    // MySQL writes DEFAULT_GENERATED of what only has a default.
    const generated = /\b(virtual|stored|persistent)\b/i.test(row.extra) || Boolean(row.expression);
    const nullable = row.nullable === 'YES';
    const definition = [
      row.full,
      row.collation && `collate ${row.collation}`,
      !nullable && 'not null',
      // MariaDB writes that there is no default as if it were one.
      row.preset !== null && row.preset !== 'NULL' && `default ${row.preset}`,
      row.extra.toLowerCase(),
      row.expression && `as (${row.expression})`,
    ];
    const column: Column = {
      name: row.name,
      type: row.type.toLowerCase(),
      ...(isLossy(row.charset) ? { lossy: row.charset } : {}),
      nullable,
      generated,
      ...(row.expression && /\b(stored|persistent)\b/i.test(row.extra) ? { kept: row.expression } : {}),
      definition: definition.filter(Boolean).join(' '),
    };
    found.set(row.table, [...(found.get(row.table) ?? []), column]);
  }
  return found;
}
