import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../errors.js';

/** Before any work: a file that cannot be written in the end must not cost it. */
export async function checkFree(file: string): Promise<void> {
  const folder = await stat(dirname(file)).catch(() => undefined);
  if (!folder?.isDirectory())
    throw new InputError(`the folder ${dirname(file)} is not there; make it, or name another file`);
  if (await stat(file).catch(() => undefined))
    throw new InputError(`${file} exists, and no file is overwritten; name another one`);
}
