import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type pg from 'pg';
import { CopyOut } from '../../lambda/engine/postgresql/rows/copy-out';

const message = (kind: string, body: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(body) + 4);
  return Buffer.concat([Buffer.from(kind), length, Buffer.from(body)]);
};
const BEGIN = message('H', '\0\0\x01\0\0');
const END = [message('c', ''), message('C', 'COPY 3\0'), message('Z', 'T')];

/** A session whose server says so much, in blocks of a size; what the driver got of it is in `theirs`. */
function session(said: Buffer[], size: number) {
  const stream = new PassThrough();
  const theirs: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => theirs.push(bytes));
  const asked: string[] = [];
  const connection = { stream, query: (sql: string) => asked.push(sql) } as unknown as pg.Connection;
  const copy = new CopyOut('copy t to stdout');
  copy.submit(connection);
  const all = Buffer.concat(said);
  const send = async () => {
    for (let at = 0; at < all.length; at += size) {
      stream.write(Buffer.from(all.subarray(at, at + size)));
      await turn();
    }
  };
  return { copy, stream, theirs, asked, send };
}

test.each([1, 2, 3, 4, 5, 6, 7, 11, 1000])(
  'rows come together, whatever blocks of %i bytes cut apart',
  async (size) => {
    const rows = [
      message('d', 'one\t1\n'),
      message('N', 'a notice'),
      message('d', ''),
      message('d', 'zwei\t2\n'),
    ];
    const { copy, theirs, asked, send } = session([BEGIN, ...rows, ...END], size);
    const sending = send().then(() => {
      copy.handleCommandComplete({ text: 'COPY 3' });
      copy.handleReadyForQuery();
    });
    const got: Buffer[] = [];
    for await (const block of copy as AsyncIterable<Buffer>) got.push(block);
    await sending;
    expect(Buffer.concat(got).toString()).toBe('one\t1\nzwei\t2\n');
    expect(copy.rowCount).toBe(3);
    expect(asked).toEqual(['copy t to stdout']);
    expect(Buffer.concat(theirs)).toEqual(Buffer.concat(END.slice(1)));
  },
);

test.each([1, 6, 1000])(
  'an error after rows is left to the driver, whole, in blocks of %i bytes',
  async (size) => {
    const error = message('E', 'SERROR\0C57014\0\0');
    const { copy, theirs, send } = session([BEGIN, message('d', 'one\n'), error, message('Z', 'E')], size);
    const sending = send().then(() => copy.handleError(new Error('canceled')));
    await expect(
      (async () => {
        for await (const _ of copy);
      })(),
    ).rejects.toThrow('canceled');
    await sending;
    expect(Buffer.concat(theirs)).toEqual(Buffer.concat([error, message('Z', 'E')]));
  },
);

test('what nobody reads to its end leaves the session in order, and a slow reader is waited for', async () => {
  const rows = Array.from({ length: 40 }, (_, row) => message('d', `${row}\n`));
  const { copy, stream, theirs, send } = session([BEGIN, ...rows, ...END], 8);
  const sending = send();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  expect(stream.isPaused()).toBe(true);
  for await (const _ of copy) break;
  await sending;
  expect(Buffer.concat(theirs)).toEqual(Buffer.concat(END.slice(1)));
});
