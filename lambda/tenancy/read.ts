import { parseDocument } from 'yaml';
import { InputError } from '../errors.js';
import { describe } from './describe.js';
import type { TenancyDescription } from './description.js';

/** Far above the description of any database. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Reads a tenancy description, YAML or JSON. */
export function readDescription(text: string, file: string): TenancyDescription {
  if (Buffer.byteLength(text) > MAX_BYTES)
    throw new InputError(`${file} is larger than any tenancy description`);
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: true });
  const first = document.errors[0];
  if (first) throw new InputError(`${file} is not YAML or JSON: ${first.message.split('\n')[0]}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new InputError(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (!isTree(value))
    throw new InputError(
      `${file} cannot be read: an alias (*) in it stands for something that it is itself a part of; write out what is meant`,
    );
  return describe(value, file);
}

/** Nothing in it holds itself, as an alias in YAML can. */
function isTree(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}
