import { InputError } from '../errors.js';
import type { EngineUndoRequest, KeptCopy } from './engine.js';

/** The note on a database that is ours, whatever the server keeps it in; it counts only when the name agrees with it. */
export interface Mark {
  readonly tool: 'sovereign-backup';
  readonly kind: 'restore' | 'undo';
  readonly tenant: string;
  readonly database: string;
  /** Of a side copy: the time of its archive. Of an undo copy: when it was put aside. */
  readonly at: string;
  readonly archive?: string;
}

/** Undefined for notes that are somebody else's. */
export function parseMark<M extends Mark>(text: string | null | undefined): M | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    const mark = JSON.parse(text) as M;
    const known = mark.kind === 'restore' || mark.kind === 'undo';
    return mark.tool === 'sovereign-backup' && known && typeof mark.database === 'string' ? mark : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The copy that `undo` puts back: the one put aside last, if it is the tenant's and who asked confirms it. `where` is as in
 * `database "acme" on db:5432`.
 */
export async function newestKept<M extends Mark>(
  copies: readonly { readonly name: string; readonly mark: M }[],
  request: EngineUndoRequest,
  where: string,
  holder: KeptCopy['holder'] = 'database',
): Promise<{ readonly name: string; readonly mark: M }> {
  const { tenant, database, scope, phase } = request;
  const newest = [...copies].sort((a, b) => (a.mark.at < b.mark.at ? 1 : -1))[0];
  if (!newest)
    throw new InputError(
      `there is no kept copy of ${where}: nothing was restored there, or the copy was dropped` +
        // An archive says what it is of; whoever undoes its restore has to.
        (scope.tenancy === 'database' && database !== tenant
          ? '; of a tenant that is a schema of it, or rows of shared tables, say --tenancy schema or --tenancy rows'
          : ''),
    );
  checkTenant(newest, tenant);
  await request.confirm({ name: newest.name, at: new Date(newest.mark.at), holder });
  phase?.(`putting back ${newest.name}, which was put aside at ${newest.mark.at}`);
  return newest;
}

/** Whoever names one tenant and another's database must not take back the other's restore. */
function checkTenant({ name, mark }: { readonly name: string; readonly mark: Mark }, tenant: string): void {
  // Where they have the same name, the database is the tenant's, whoever restored another's archive into its place.
  if (mark.tenant !== tenant && mark.database !== tenant)
    throw new InputError(
      `the kept copy ${JSON.stringify(name)} is of tenant ${JSON.stringify(mark.tenant)}, and ${JSON.stringify(tenant)} was asked for; give that tenant's name if it is meant; nothing was touched`,
    );
}
