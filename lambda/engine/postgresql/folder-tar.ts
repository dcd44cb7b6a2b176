import { constants } from 'node:fs';
import { mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { OperationError } from '../../errors.js';
import { tarEnd, tarHeader, tarMembers, tarPadding } from '../../tenancy/tar.js';

/** All that pg_dump makes in a folder, and all that is taken out of an archive into one: no name can lead elsewhere. */
const NAMES = /^(toc\.dat|blobs(_\d{1,10})?\.toc|(blob_)?\d{1,10}\.dat(\.(gz|lz4|zst))?)$/;
const CONTENTS = 'toc.dat';
const BLOCK = 1024 * 1024;

/**
 * The files of pg_dump's folder as one tar: each that `ready` names as soon as it does, while the others are still being
 * written, and the rest when it ends.
 */
export async function* packFolder(
  folder: string,
  ready: AsyncIterable<string>,
  at: Date,
): AsyncGenerator<Buffer, void, undefined> {
  const packed = new Set<string>();
  for await (const name of ready) {
    packed.add(name);
    yield* packFile(folder, name, at);
  }
  const names = (await readdir(folder)).filter((name) => !packed.has(name)).sort();
  if (!names.includes(CONTENTS)) throw new OperationError('pg_dump wrote no table of contents');
  for (const name of names) yield* packFile(folder, name, at);
  yield tarEnd();
}

async function* packFile(folder: string, name: string, at: Date): AsyncGenerator<Buffer, void, undefined> {
  if (!NAMES.test(name))
    throw new OperationError(`pg_dump wrote ${JSON.stringify(name)}, which is not known here`);
  const file = await open(join(folder, name), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await file.stat();
    yield tarHeader(name, size, at);
    let left = size;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: BLOCK })) {
      left -= chunk.length;
      yield chunk;
    }
    if (left !== 0) throw new OperationError(`${name} of the dump was changed while it was read`);
    yield tarPadding(size);
  } finally {
    await file.close();
  }
}

/** Writes the files of such a tar into a new folder; fails unless it is whole, and at anything that is none of pg_dump's. */
export async function unpackFolder(source: AsyncIterable<Buffer>, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  const names = new Set<string>();
  for await (const member of tarMembers(source)) {
    const { name } = member;
    if (!NAMES.test(name) || names.has(name))
      throw new OperationError(
        `the archive's tar cannot be read: ${JSON.stringify(name)} does not belong in it`,
      );
    names.add(name);
    const file = await open(join(folder, name), 'wx', 0o600);
    try {
      for await (const bytes of member.bytes()) await file.writeFile(bytes);
    } finally {
      await file.close();
    }
  }
  if (!names.has(CONTENTS)) throw new OperationError("the archive's tar has no table of contents");
}
