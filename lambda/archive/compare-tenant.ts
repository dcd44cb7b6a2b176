import type { PreparedRestore, TableComparison } from '../engine/engine.js';
import { InputError } from '../errors.js';
import { stopwatch } from '../stopwatch.js';
import { collectSoon } from './garbage.js';
import { loadBeside } from './load-beside.js';
import type { CompareRequest, ComparisonResult } from './requests.js';

/** How many keys of rows are named where nobody says otherwise. */
export const DEFAULT_SAMPLE = 5;

/** What a restore would undo: the archive is loaded beside the live database, compared with it, and dropped again. */
export async function compareTenant(request: CompareRequest): Promise<ComparisonResult> {
  const seconds = stopwatch();
  const { prepared, summary } = await loadBeside(request);
  let tables: readonly TableComparison[];
  try {
    if (!prepared.liveExists)
      throw new InputError(
        `tenant ${JSON.stringify(summary.tenant)} is not on the server (database ${JSON.stringify(summary.database)}), so there is nothing to compare the archive with; \`restore\` brings it back`,
      );
    tables = await changesSince(prepared, request);
  } finally {
    await prepared.discard();
  }
  const { tenant, archive, at, database } = summary;
  return {
    schemaVersion: 1,
    tenant,
    archive,
    at,
    database,
    same: tables.every(({ state }) => state === 'same'),
    tables,
    seconds: seconds(),
  };
}

export async function changesSince(
  prepared: PreparedRestore,
  request: Pick<CompareRequest, 'sample' | 'progress' | 'signal'>,
): Promise<readonly TableComparison[]> {
  if (!prepared.compare)
    throw new InputError(
      'of this engine and tenancy an archive cannot be compared with what is live; `restore --to` shows both',
    );
  collectSoon();
  request.progress?.({ phase: 'compare', message: 'comparing with the live database' });
  return prepared.compare({
    sample: request.sample ?? DEFAULT_SAMPLE,
    ...(request.signal ? { signal: request.signal } : {}),
  });
}
