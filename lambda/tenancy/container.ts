import { OperationError } from '../errors.js';
import type { TenancyDescription } from './description.js';
import { tarEnd, tarMember, tarMembers } from './tar.js';
import { WholeLines } from './whole-lines.js';

/**
 * One tenant's rows in one stream: a tar that holds `tables.json` first, then each table's rows in files of some
 * megabytes, cut between rows, and `end.json` with the numbers of rows. Its rows are in the engine's own text format,
 * one to a line.
 */
export interface ContainerHead {
  readonly schemaVersion: 1;
  readonly engine: string;
  /** What stands in the tenant column. */
  readonly tenant: string;
  readonly description: TenancyDescription;
  readonly tables: readonly ContainerTable[];
}

export interface ContainerTable {
  /** Of the tar: `rows/0001-orders`. */
  readonly folder: string;
  readonly schema: string;
  readonly table: string;
  /** In the order in which they stand in a line. */
  readonly columns: readonly ContainerColumn[];
  readonly primaryKey: readonly string[];
}

export interface ContainerColumn {
  readonly name: string;
  readonly type: string;
  /** Its values stand as hexadecimal digits, because they are no text. */
  readonly as?: 'hex';
}

export type ContainerPart =
  | { readonly head: ContainerHead }
  | { readonly table: ContainerTable; readonly bytes: Buffer }
  /** All is read, and the numbers of rows are what `end.json` says: in the order of the head's tables. */
  | { readonly rows: readonly number[] };

const FILE_BYTES = 4 * 1024 * 1024;
const MAX_JSON = 64 * 1024 * 1024;
const LINE_END = 10;

/** A folder's name out of a table's: no name that a database allows can leave the tar's own folder. */
export function folderOf(position: number, table: string): string {
  const plain = table.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 40);
  return `rows/${String(position + 1).padStart(4, '0')}-${plain}`;
}

/** Writes it; `extension` says what the rows are: `copy`, `tsv`. */
export async function* writeContainer(
  head: ContainerHead,
  at: Date,
  extension: string,
  open: (table: ContainerTable) => AsyncIterable<Buffer>,
  counted: (table: ContainerTable, rows: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  yield tarMember('tables.json', json(head), at);
  const numbers: { folder: string; rows: number }[] = [];
  for (const table of head.tables) {
    const lines = new WholeLines(FILE_BYTES);
    let file = 0;
    let rows = 0;
    const flush = (bytes: Buffer) => {
      file += 1;
      return tarMember(`${table.folder}/${String(file).padStart(6, '0')}.${extension}`, bytes, at);
    };
    for await (const chunk of open(table)) {
      rows += lineEnds(chunk);
      const whole = lines.push(chunk);
      if (whole) yield flush(whole);
    }
    const rest = lines.rest();
    // A table without rows has one empty file, so that it can be seen that nothing is missing.
    if (rest.length > 0 || file === 0) yield flush(rest);
    counted(table, rows);
    numbers.push({ folder: table.folder, rows });
  }
  yield tarMember('end.json', json({ tables: numbers }), at);
  yield tarEnd();
}

/** Reads it piece by piece, and stops at the first thing that is not as it was written. */
export async function* readContainer(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<ContainerPart, void, undefined> {
  let head: ContainerHead | undefined;
  let ended = false;
  const rows: number[] = [];
  let at = -1;
  for await (const member of tarMembers(source)) {
    if (ended) throw wrong('something follows its end');
    if (!head) {
      if (member.name !== 'tables.json') throw wrong('it does not begin with tables.json');
      head = parse<ContainerHead>(await member.whole(MAX_JSON));
      if (head?.schemaVersion !== 1 || !Array.isArray(head.tables))
        throw wrong(
          `its tables.json has schemaVersion ${JSON.stringify(head?.schemaVersion ?? null)}, not 1`,
        );
      yield { head };
    } else if (member.name === 'end.json') {
      const end = parse<{ tables: { folder: string; rows: number }[] }>(await member.whole(MAX_JSON));
      const expected = head.tables.map(({ folder }, position) => ({ folder, rows: rows[position] ?? -1 }));
      if (JSON.stringify(end.tables) !== JSON.stringify(expected))
        throw wrong('the numbers of rows are not those of its end.json');
      ended = true;
    } else {
      const folder = member.name.slice(0, member.name.lastIndexOf('/'));
      if (folder !== head.tables[at]?.folder) at += 1;
      const table = head.tables[at];
      if (table?.folder !== folder) throw wrong(`${JSON.stringify(member.name)} is not where it belongs`);
      rows[at] ??= 0;
      for await (const bytes of member.bytes()) {
        rows[at]! += lineEnds(bytes);
        yield { table, bytes };
      }
    }
  }
  if (!ended) throw wrong('it breaks off');
  yield { rows };
}

function json(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

function parse<T>(bytes: Buffer): T {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw wrong('it holds a .json that is none');
  }
}

function lineEnds(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf(LINE_END); at >= 0; at = chunk.indexOf(LINE_END, at + 1)) count += 1;
  return count;
}

function wrong(why: string): OperationError {
  return new OperationError(`the archive's tar of rows cannot be read: ${why}`);
}
