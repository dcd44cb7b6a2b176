import { writeFileSync } from 'node:fs';
import { InputError } from '../../lib/residency/input.js';

/** Prints to standard output, or into the file that was asked for. */
export function write(text: string, out: string | undefined): void {
  if (out === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(out, text);
  } catch (error) {
    throw new InputError(`--out ${out}: cannot be written (${(error as NodeJS.ErrnoException).code})`);
  }
}
