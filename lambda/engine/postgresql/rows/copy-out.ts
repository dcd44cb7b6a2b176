import { Readable } from 'node:stream';
import type pg from 'pg';

/** Of each message of the server: its kind, and its length, which counts itself in. */
const HEADER = 5;
const LENGTH = 4;
const ROWS = 0x64;
const DONE = 0x63;
/** The answer begins; and what may come in between whatever is asked: notices, settings, notifications. */
const PASSED_OVER = [0x48, 0x4e, 0x53, 0x41];

/**
 * `COPY … TO STDOUT` for `client.query`: a stream of the rows' bytes. The server sends a message for each row; this moves
 * the rows together in the blocks that come, so that nothing is made for each of them. Ends when the session is ready again.
 */
export class CopyOut extends Readable implements pg.Submittable {
  /** What the server says that it has sent; known at the end. */
  public rowCount = 0;
  private connection: pg.Connection | undefined;
  private theirs: (bytes: Buffer) => void = () => {};
  private readonly header = Buffer.alloc(HEADER);
  private held = 0;
  /** Bytes to come of a message, and whether they are rows. */
  private left = 0;
  private rows = false;

  constructor(private readonly sql: string) {
    super({ objectMode: true, highWaterMark: 4 });
  }

  public submit(connection: pg.Connection): void {
    const { stream } = connection;
    this.connection = connection;
    this.theirs = stream.listeners('data')[0] as typeof this.theirs;
    stream.off('data', this.theirs).on('data', this.receive);
    connection.query(this.sql);
  }

  public override _read(): void {
    this.connection?.stream.resume();
  }

  /** Nobody reads any more: the rest passes unread, so that the session is left in order. */
  public override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.connection?.stream.resume();
    done(error);
  }

  public handleCommandComplete({ text }: { text: string }): void {
    this.rowCount = Number(/^COPY (\d+)$/.exec(text)?.[1]);
  }

  public handleReadyForQuery(): void {
    this.push(null);
  }

  public handleError(error: Error): void {
    this.giveBack(Buffer.alloc(0));
    this.destroy(error);
  }

  private readonly receive = (block: Buffer): void => {
    let at = 0;
    let moved = 0;
    let rest: Buffer | undefined;
    while (at < block.length && !rest) {
      if (this.left > 0) {
        const end = at + Math.min(this.left, block.length - at);
        if (this.rows) {
          block.copyWithin(moved, at, end);
          moved += end - at;
        }
        this.left -= end - at;
        at = end;
        continue;
      }
      while (this.held < HEADER && at < block.length) this.header[this.held++] = block[at++]!;
      if (this.held < HEADER) break;
      this.held = 0;
      const kind = this.header[0]!;
      if (kind === DONE) rest = block.subarray(at);
      // An error, for instance, which is for the driver to understand.
      else if (kind !== ROWS && !PASSED_OVER.includes(kind))
        rest = Buffer.concat([this.header, block.subarray(at)]);
      else {
        this.rows = kind === ROWS;
        this.left = this.header.readUInt32BE(1) - LENGTH;
      }
    }
    if (moved > 0 && !this.destroyed && !this.push(block.subarray(0, moved))) this.connection?.stream.pause();
    if (rest) this.giveBack(rest);
  };

  private giveBack(rest: Buffer): void {
    const { connection } = this;
    if (!connection) return;
    this.connection = undefined;
    connection.stream.off('data', this.receive).on('data', this.theirs).resume();
    if (rest.length > 0) this.theirs(rest);
  }
}
