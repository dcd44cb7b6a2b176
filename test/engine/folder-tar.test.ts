// The tar of a parallel dump: written for every tar, and read as what a stranger has made.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as FolderTar from '../../lambda/engine/postgresql/folder-tar';
import type * as Tar from '../../lambda/tenancy/tar';
import { bundled } from '../support/bundled';

const { packFolder, unpackFolder } = bundled<typeof FolderTar>('lambda/engine/postgresql/folder-tar.ts');
const { tarEnd, tarHeader, tarMember, tarMembers } = bundled<typeof Tar>('lambda/tenancy/tar.ts');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'folder-tar-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = new Date('2026-11-25T00:00:00Z');
const collect = async (source: AsyncIterable<Buffer>) => {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
};
/** In pieces that end anywhere. */
async function* pieces(bytes: Buffer, size = 700) {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
async function* names(...all: string[]) {
  yield* all;
}
const toc = tarMember('toc.dat', Buffer.from('contents'), at);
const unpack = (...parts: Buffer[]) => unpackFolder(pieces(Buffer.concat(parts)), join(folder, 'out'));

test('what is packed, first what was ready first, is what tar and we unpack', async () => {
  const dump = join(folder, 'dump');
  mkdirSync(dump);
  const files = {
    'toc.dat': 'contents',
    '12.dat.zst': '',
    '7.dat.zst': 'x'.repeat(3_000_000),
    'blobs_9.toc': 'b',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dump, name), text);
  const tar = await collect(packFolder(dump, names('7.dat.zst'), at));
  const listed = execFileSync('tar', ['-t'], { input: tar, encoding: 'utf8' });
  expect(listed.split('\n')).toEqual(['7.dat.zst', '12.dat.zst', 'blobs_9.toc', 'toc.dat', '']);
  await unpack(tar);
  const read = (name: string) => readFileSync(join(folder, 'out', name), 'utf8');
  expect(Object.fromEntries(readdirSync(join(folder, 'out')).map((name) => [name, read(name)]))).toEqual(
    files,
  );
});

test('a file of more than 8 GiB has its size in a way that tar and we read', async () => {
  const size = 9 * 2 ** 30 + 1;
  const header = tarHeader('7.dat.zst', size, at);
  // The file itself is missing; its size is told before that is noticed.
  expect(spawnSync('tar', ['-tv'], { input: header, encoding: 'utf8' }).stdout).toContain(` ${size} `);
  const members = tarMembers(pieces(header));
  expect((await members.next()).value).toMatchObject({ name: '7.dat.zst', size });
  await members.return();
});

/** A header changed by hand, and its checksum made right again. */
function forged(change: (header: Buffer) => void): Buffer {
  const member = Buffer.from(tarMember('7.dat.zst', Buffer.from('x'), at));
  const header = member.subarray(0, 512);
  change(header);
  header.fill(' ', 148, 156);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(7, '0')}\0`,
    148,
  );
  return member;
}

test.each([
  [
    'a name that leads out of the folder',
    tarMember('../7.dat', Buffer.from('x'), at),
    /does not belong in it/,
  ],
  ['an absolute name', tarMember('/tmp/7.dat', Buffer.from('x'), at), /does not belong in it/],
  ['a name in another folder', tarMember('a/7.dat', Buffer.from('x'), at), /does not belong in it/],
  ['a name that is not pg_dump’s', tarMember('7.sh', Buffer.from('x'), at), /does not belong in it/],
  ['the same name twice', toc, /does not belong in it/],
  ['a symbolic link', forged((header) => header.write('2', 156)), /not a plain file/],
  ['a hard link', forged((header) => header.write('1', 156)), /not a plain file/],
  ['a folder', forged((header) => header.write('5', 156)), /not a plain file/],
  ['a device', forged((header) => header.write('3', 156)), /not a plain file/],
  ['a name of two parts', forged((header) => header.write('/etc', 345)), /not a plain file/],
  ['a size that is too large', forged((header) => header.fill(0xff, 124, 136)), /a header is not one/],
  ['a negative size', forged((header) => header.write('-0000000001\0', 124)), /a header is not one/],
  ['a wrong checksum', Buffer.concat([Buffer.alloc(1, 65), toc.subarray(1)]), /a header is not one/],
  ['bytes after its end', Buffer.concat([tarEnd(), Buffer.from('more')]), /something follows its end/],
])('a tar with %s is refused, and nothing lies outside of the folder', async (_, part, message) => {
  await expect(unpack(toc, part, tarEnd())).rejects.toThrow(message);
  expect(readdirSync(folder)).toEqual(['out']);
  expect(
    readdirSync(join(folder, 'out')).filter((name) => name !== 'toc.dat' && name !== '7.dat.zst'),
  ).toEqual([]);
  expect(existsSync('/tmp/7.dat')).toBe(false);
});

test('a tar that breaks off anywhere, or has no table of contents, is refused', async () => {
  const whole = Buffer.concat([toc, tarMember('7.dat.zst', Buffer.from('x'.repeat(600)), at), tarEnd()]);
  for (let length = 0; length < whole.length; length += 97) {
    rmSync(join(folder, 'out'), { recursive: true, force: true });
    await expect(unpack(whole.subarray(0, length))).rejects.toThrow(/cannot be read/);
  }
  rmSync(join(folder, 'out'), { recursive: true, force: true });
  await expect(unpack(tarMember('7.dat', Buffer.from('x'), at), tarEnd())).rejects.toThrow(
    /no table of contents/,
  );
});
