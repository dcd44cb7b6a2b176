import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { buildClient } from '@aws-crypto/client-node';
import fc from 'fast-check';
import { decryptBytes, encryptBytes, encryptStream } from '../../lambda/archive/message';
import { rawKey } from '../../lambda/archive/raw-key';
import { everyFault } from '../support/random';

const key = rawKey(randomBytes(32));
const context = { tenant: 'acme', regime: 'local', archive: 'a', part: 'data' };
const plain = randomBytes(600_000);
let message: Buffer;

beforeAll(async () => {
  message = await encryptBytes(key, context, plain);
});

/** In pieces of awkward sizes, as a network gives them. */
function pieces(bytes: Buffer, length: number): Readable {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += length) parts.push(bytes.subarray(at, at + length));
  return Readable.from(parts, { objectMode: false });
}

const open = (bytes: Buffer, size = 64 * 1024, ours: Record<string, string> = context, by = key) =>
  decryptBytes(by, ours, pieces(bytes, size));

test.each([1_000, 65_536, 262_144, 1_000_000])(
  'opens what it closed, in pieces of %i bytes',
  async (size) => {
    expect((await open(message, size)).equals(plain)).toBe(true);
  },
);

test('the SDK itself opens it', async () => {
  const { plaintext } = await buildClient().decrypt(key.keyring, message);
  expect(plaintext.equals(plain)).toBe(true);
});

test.each([0, 1, 262_143, 262_144, 262_145, 524_288])('the stream closes %i bytes', async (length) => {
  const bytes = randomBytes(length);
  const closed = await buffer(encryptStream(key, context, pieces(bytes, 50_000)));
  expect((await open(closed)).equals(bytes)).toBe(true);
});

test('any flipped bit is noticed', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(message.length * 8 - 1),
      fc.integer({ min: 5_000, max: 300_000 }),
      async (bit, size) => {
        const changed = Buffer.from(message);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        await expect(open(changed, size)).rejects.toMatchObject({ exitCode: 3 });
      },
    ),
    // Thousands at whole archives: test/faults/corruption.test.ts.
    { numRuns: everyFault ? 1500 : 400 },
  );
});

test('every bit of the header and of the frame headers is watched', async () => {
  const frame = 4 + 12 + 262_144 + 16;
  const last = 4 + 4 + 12 + 4 + (plain.length - 2 * 262_144) + 16;
  const header = message.length - 2 * frame - last;
  for (let byte = 0; byte < header + 16; byte += 1) {
    const changed = Buffer.from(message);
    changed[byte]! ^= 1 << (byte & 7);
    await expect(open(changed)).rejects.toMatchObject({ exitCode: 3 });
  }
});

test('a message cut anywhere is noticed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(message.length - 1), async (length) => {
      await expect(open(message.subarray(0, length))).rejects.toMatchObject({ exitCode: 3 });
    }),
    { numRuns: 500 },
  );
});

test('added, swapped and repeated bytes are noticed', async () => {
  await expect(open(Buffer.concat([message, Buffer.from([0])]))).rejects.toThrow(/added/);
  await expect(open(Buffer.concat([message, message]))).rejects.toThrow(/added/);
});

test('another key and another context are refused', async () => {
  await expect(open(message, 65_536, context, rawKey(randomBytes(32)))).rejects.toThrow(/does not open/);
  await expect(open(message, 65_536, { ...context, tenant: 'other' })).rejects.toThrow(/tenant "acme"/);
});
