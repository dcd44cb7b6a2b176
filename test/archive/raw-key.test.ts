import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyFile, readKeyFile } from '../../lambda/archive/raw-key';
import { CLI } from '../support/cli';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'raw-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a key file has 256 bits, is private, and is never overwritten', async () => {
  const path = join(folder, 'k');
  const { id } = await generateKeyFile(path);
  const bytes = await readFile(path);
  expect(bytes).toHaveLength(32);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(generateKeyFile(path)).rejects.toMatchObject({ exitCode: 2 });
  expect((await readFile(path)).equals(bytes)).toBe(true);
  expect((await readKeyFile(path)).id).toBe(id);
  expect(id).not.toContain(bytes.toString('hex').slice(0, 8));
});

test('where a disk has no room for it, nothing is left that looks like one', async () => {
  const args = [process.execPath, CLI, 'keygen', join(folder, 'k')];
  const ran = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$@"', 'sh', ...args], { encoding: 'utf8' });
  expect([ran.status, ran.stderr]).toEqual([3, expect.stringContaining('could not be written: EFBIG')]);
  expect(await readdir(folder)).toEqual([]);
});

test('the same key as hexadecimal digits or base64 is the same key', async () => {
  const bytes = randomBytes(32);
  const ids: string[] = [];
  for (const form of [bytes, `${bytes.toString('hex')}\n`, bytes.toString('base64')]) {
    await writeFile(join(folder, 'k'), form, { mode: 0o600 });
    ids.push((await readKeyFile(join(folder, 'k'))).id);
  }
  expect(new Set(ids).size).toBe(1);
});

test.each([
  ['empty', ''],
  ['short', 'x'.repeat(31)],
  ['long', 'x'.repeat(33)],
  ['huge', 'x'.repeat(5000)],
])('a file that is %s is no key', async (_, content) => {
  await writeFile(join(folder, 'k'), content, { mode: 0o600 });
  await expect(readKeyFile(join(folder, 'k'))).rejects.toMatchObject({ exitCode: 2 });
});

test('a key that others can read is refused, with the command that mends it', async () => {
  await writeFile(join(folder, 'k'), randomBytes(32));
  await chmod(join(folder, 'k'), 0o640);
  await expect(readKeyFile(join(folder, 'k'))).rejects.toThrow(/chmod 600/);
});

test('a missing file and a folder are refused', async () => {
  await expect(readKeyFile(join(folder, 'none'))).rejects.toMatchObject({ exitCode: 2 });
  await expect(readKeyFile(folder)).rejects.toMatchObject({ exitCode: 2 });
});
