import promises, { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { FolderStore } from '../../lambda/archive/folder-store';
import { StoreError } from '../../lambda/archive/store';

let folder: string;
let store: FolderStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folder-store-'));
  store = new FolderStore(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const body = (...parts: string[]) => Readable.from(parts.map((part) => Buffer.from(part)));
const keys = async (prefix = '') => {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
};

test('writes, reads, lists in order of keys and removes with the empty folders', async () => {
  await store.write('r/b/2', body('x'));
  await store.write('r/b-c/1', body('y'));
  expect(await store.write('r/b/1', body('hello ', 'there'))).toEqual({ bytes: 11 });
  expect(await text(await store.read('r/b/1'))).toBe('hello there');
  expect(await keys()).toEqual(['r/b-c/1', 'r/b/1', 'r/b/2']);
  expect(await keys('r/b/')).toEqual(['r/b/1', 'r/b/2']);
  await store.remove(['r/b/1', 'r/b/2', 'r/b/2', 'r/b-c/1']);
  expect(await readdir(folder)).toEqual([]);
});

test('never overwrites', async () => {
  await store.write('a', body('first'));
  await expect(store.write('a', body('second'))).rejects.toMatchObject({ exitCode: 3 });
  expect(await text(await store.read('a'))).toBe('first');
  expect(await readdir(folder)).toEqual(['a']);
});

test('a link whose answer was lost on the network is no other object', async () => {
  const { link } = promises;
  const lost = jest.spyOn(promises, 'link').mockImplementation(async (from, to) => {
    await link(from, to);
    await link(from, to);
  });
  expect(await store.write('a', body('first'))).toEqual({ bytes: 5 });
  lost.mockRestore();
  expect(await readdir(folder)).toEqual(['a']);
});

test('a stream that fails leaves nothing', async () => {
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('half');
      throw new Error('broke off');
    })(),
  );
  await expect(store.write('x/y/data', failing)).rejects.toThrow('broke off');
  expect(await readdir(folder)).toEqual([]);
});

test('missing objects, other things than files, and paths that lead out are refused', async () => {
  await expect(store.read('none')).rejects.toMatchObject({ exitCode: 3 });
  for (const key of ['../x', 'a//b', 'a/./b', '', '/etc/passwd'])
    await expect(store.write(key, body('x'))).rejects.toThrow(/cannot be the key/);
});

test('a disk that cannot be read, or written, is the store that failed, not the archive', async () => {
  // Which Linux lets fail like a bad sector.
  const bad = text(await new FolderStore(join('/proc', 'self')).read('mem'));
  await expect(bad).rejects.toThrow(/^\/proc\/self failed: EIO/);
  await expect(bad).rejects.toBeInstanceOf(StoreError);
  await writeFile(join(folder, 'file'), '');
  const nowhere = new FolderStore(join(folder, 'file')).write('x', body('x'));
  await expect(nowhere).rejects.toBeInstanceOf(StoreError);
});

test('sweeps what dead writers left, and nothing of living ones', async () => {
  const host = Buffer.from(hostname()).toString('hex').slice(0, 64);
  const dead = `.data.${host}-4194999-00000000.partial`;
  const living = `.data.${host}-${process.pid}-00000000.partial`;
  const elsewhere = '.data.aa-1-00000000.partial';
  const old = '.data.bb-1-00000000.partial';
  for (const name of [dead, living, elsewhere, old]) await writeFile(join(folder, name), 'x');
  await utimes(join(folder, old), 0, 0);
  expect(await keys()).toEqual([]);
  await store.sweep('', new Date(Date.now() - 60_000));
  expect((await readdir(folder)).sort()).toEqual([elsewhere, living].sort());
});
