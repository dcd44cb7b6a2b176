import type mysql from 'mysql2';
import type { Connection } from '../connect.js';
import { lineOf } from './lines.js';

const CHUNK = 256 * 1024;
/** So many chunks wait for their reader before the server has to. */
const AHEAD = 4;

/**
 * The rows of a statement as lines, many at once: a stream of single rows takes longer. Values come from the wire as arrays
 * of bytes; nothing is turned into a number or a date on the way.
 */
export async function* linesOf(client: Connection, sql: string): AsyncGenerator<string, void, undefined> {
  const { connection } = client as unknown as { connection: mysql.Connection };
  const ready: string[] = [];
  let last = '';
  let ended = false;
  let failure: unknown;
  let wake = () => {};
  connection
    .query({ sql, rowsAsArray: true, typeCast: false })
    .on('result', (row) => {
      last += lineOf(row as unknown as (Buffer | null)[]);
      if (last.length < CHUNK) return;
      ready.push(last);
      last = '';
      if (ready.length >= AHEAD) connection.pause();
      wake();
    })
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
  if (last !== '') yield last;
}
