import type mysql from 'mysql2';
import { OperationError } from '../../../errors.js';
import type { Connection } from '../connect.js';
import { LineWriter } from './lines.js';

/** So many chunks wait for their reader before the server has to. */
const AHEAD = 4;

/** A row as it came, or what ends the rows. */
interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isEOF(): boolean;
  eofWarningCount(): number;
}

/** What the driver does with the next packet; it gives what is to be done with the one after it. */
type Step = (this: RowQuery, packet: Packet, connection: unknown) => Step | null;

/** The driver's statement, of which `row` is called for the first packet after the names of the columns. */
interface RowQuery {
  row: Step;
}

/**
 * The rows of a statement as lines, many at once. The driver would make an object of each value, which takes several times
 * as long as all the rest; so its rows are taken from it as the bytes that came, and nothing is turned into a number, a date
 * or a text on the way; of some columns each byte becomes two hexadecimal digits.
 */
export async function* linesOf(
  client: Connection,
  sql: string,
  digitized: readonly boolean[],
): AsyncGenerator<Buffer, void, undefined> {
  const { connection } = client as unknown as { connection: mysql.Connection };
  const writer = new LineWriter(digitized);
  const ready: Buffer[] = [];
  let ended = false;
  let warnings = 0;
  let failure: unknown;
  let wake = () => {};
  const query = connection.query(sql);
  const { row: last } = query as unknown as RowQuery;
  (query as unknown as RowQuery).row = function row(packet, from) {
    if (packet.isEOF()) {
      warnings = packet.eofWarningCount();
      return last.call(this, packet, from);
    }
    const lines = writer.row(packet.buffer, packet.offset, packet.end);
    if (lines && lines.length > 0) {
      ready.push(lines);
      if (ready.length >= AHEAD) connection.pause();
      wake();
    }
    return row;
  };
  query
    .on('error', (error) => {
      failure = error;
      ended = true;
      wake();
    })
    .on('end', () => {
      ended = true;
      wake();
    });
  while (!ended || ready.length > 0) {
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    if (ready.length === 0) {
      connection.resume();
      await woken;
    } else yield ready.shift()!;
  }
  if (failure !== undefined) throw failure;
  // A null in the place of what is longer than max_allowed_packet is no more to the server.
  if (warnings !== 0)
    throw new OperationError(
      'the server could not give some value as it is, perhaps because it is longer than max_allowed_packet; no archive was kept: set that higher on the server, then run again',
    );
  const rest = writer.take();
  if (rest.length > 0) yield rest;
}
