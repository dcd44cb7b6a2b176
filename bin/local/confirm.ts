import { UsageError } from '../errors.js';

/** Before anything is done: a name that is wrong, or cannot be asked for, must not cost an hour of loading first. */
export function checkConfirm(tenant: string, given: string | undefined, what: string): void {
  if (given === undefined) {
    if (process.stdin.isTTY) return;
    throw new UsageError(
      `${what} ${what === 'erase' ? "destroys the tenant's key" : 'replaces the live database of the tenant'}; there is no terminal to ask on, so give --confirm with the tenant's name`,
    );
  }
  if (given !== tenant)
    throw new UsageError(
      `--confirm is ${JSON.stringify(given)}, and the tenant is ${JSON.stringify(tenant)}; ${what === 'erase' ? 'nothing was erased' : 'the live database was not touched'}`,
    );
}
