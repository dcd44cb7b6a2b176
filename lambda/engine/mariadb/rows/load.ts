import { Readable } from 'node:stream';
import { InputError, OperationError, reasonOf } from '../../../errors.js';
import { nameOf } from '../../../tenancy/description.js';
import type { Place } from '../../../tenancy/stage.js';
import { WholeLines } from '../../../tenancy/whole-lines.js';
import { type Connection, one, q } from '../connect.js';
import { isLimit } from './limit.js';
import { checkLines, valuesOf } from './lines.js';
import { names } from './shared-rows.js';

/** A statement of about this size is sent at a time; one row that is larger makes one of its own. */
const STATEMENT = 512 * 1024;
/** The driver copies what it sends, piece by piece. */
const PIECE = 64 * 1024;
const DUPLICATE = 1062;

/** What stands after INSERT INTO: the columns as they come. */
export function into({ table, name }: Place): string {
  return `${name} (${names(table.columns.map((column) => column.name))})`;
}

/**
 * Whether the server takes lines as they are, which is quicker: it may forbid that (`local_infile`), or something between it
 * and us may not know how.
 */
export async function takesStreams(client: Connection, place: Place): Promise<boolean> {
  return stream(client, place, Buffer.alloc(0)).then(
    () => true,
    () => false,
  );
}

/** Sends rows in large statements, one of which is under way while the next is put together. */
export class Loader {
  private readonly lines = new WholeLines(STATEMENT);
  private readonly hexadecimal: readonly boolean[];
  private sent: Promise<unknown> = Promise.resolve();

  public constructor(
    private readonly client: Connection,
    private readonly place: Place,
    private readonly streams: boolean,
  ) {
    this.hexadecimal = place.table.columns.map(({ as }) => as === 'hex');
  }

  public async push(bytes: Buffer): Promise<void> {
    const lines = this.lines.push(bytes);
    if (lines) await this.send(lines);
  }

  public async end(): Promise<void> {
    const lines = this.lines.rest();
    if (lines.length > 0) await this.send(lines);
    await this.sent;
  }

  private async send(lines: Buffer): Promise<void> {
    const rows = checkLines(lines, this.hexadecimal);
    const values = this.streams ? undefined : this.values(lines);
    await this.sent;
    await new Promise<void>((taken) => {
      this.sent = values === undefined ? this.stream(lines, rows, taken) : this.insert(values);
      // The server asks for the lines first: what is next is put together while it is busy with them.
      if (values !== undefined) taken();
      // Whoever sends next, or ends, gets the error.
      this.sent.catch(() => taken());
    });
  }

  private values(lines: Buffer): string {
    const all = lines.toString('utf8', 0, lines.length - 1).split('\n');
    return all.map((line) => valuesOf(line, this.hexadecimal)).join(',');
  }

  private async insert(values: string): Promise<void> {
    const sql = `insert into ${into(this.place)} values ${values}`;
    if (sql.length > 2 * STATEMENT) await this.checkLength(Buffer.byteLength(sql));
    await this.client.query(sql).catch((error) => {
      // Only the server itself can say that a row does not fit.
      const said = (error as { sqlState?: string }).sqlState !== undefined && !isLimit(error);
      throw said ? this.misfit((error as { errno?: number }).errno, reasonOf(error)) : error;
    });
  }

  /** Of what is longer the server says nothing, and ends the session. */
  private async checkLength(bytes: number): Promise<void> {
    const { packet } = await one<{ packet: string | number }>(
      this.client,
      'select @@max_allowed_packet as packet',
    );
    if (bytes >= Number(packet))
      throw new OperationError(
        `${nameOf(this.place.table)}: a row of the archive makes a statement of ${bytes} bytes, and max_allowed_packet is ${packet} on the server; nothing was changed: set it higher for the time of the restore, or local_infile = ON, then run again`,
      );
  }

  /** What would be an error of an INSERT is a warning here: no row that has one may pass, nor one be passed over. */
  private async stream(lines: Buffer, rows: number, taken: () => void): Promise<void> {
    const done = await stream(this.client, this.place, lines, taken);
    if (done.warningStatus === 0 && done.affectedRows === rows) return;
    const first = await one<{ Code: number; Message: string } | undefined>(
      this.client,
      'show warnings limit 1',
    );
    throw this.misfit(first?.Code, first?.Message ?? `${done.affectedRows} of ${rows} rows were taken`);
  }

  private misfit(code: number | undefined, reason: string): Error {
    const name = nameOf(this.place.table);
    if (code === DUPLICATE)
      return new OperationError(
        `${name} has rows in the archive that the live table's primary key does not allow beside one another; nothing was changed`,
      );
    return new InputError(
      `${name}: a row of the archive does not fit the live table: ${withoutValues(reason)}; nothing was changed`,
    );
  }
}

/** `LOAD DATA LOCAL`, of bytes that we have: whatever file a server asks for, it gets these. `taken`: it has them. */
async function stream(
  client: Connection,
  { table, name }: Place,
  lines: Buffer,
  taken: () => void = () => {},
): Promise<{ readonly affectedRows: number; readonly warningStatus: number }> {
  const columns = table.columns.map((column, at) => (column.as === 'hex' ? `@raw${at}` : q(column.name)));
  const set = table.columns.flatMap((column, at) =>
    column.as === 'hex' ? [`${q(column.name)} = unhex(@raw${at})`] : [],
  );
  function* pieces() {
    for (let at = 0; at < lines.length; at += PIECE) yield lines.subarray(at, at + PIECE);
  }
  const [done] = await client.query({
    sql: `load data local infile 'rows' into table ${name} character set utf8mb4
      fields terminated by '\\t' escaped by '\\\\' lines terminated by '\\n' (${columns.join(', ')})${set.length > 0 ? ` set ${set.join(', ')}` : ''}`,
    infileStreamFactory: () => Readable.from(pieces(), { objectMode: false }).on('end', taken),
  });
  return done as { affectedRows: number; warningStatus: number };
}

/** The server quotes values, which are a tenant's. */
function withoutValues(reason: string): string {
  return reason.replace(/(value:?) '.*' (for column)/s, '$1 $2').slice(0, 300);
}
