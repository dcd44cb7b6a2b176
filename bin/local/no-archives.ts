import { alsoUnder, NoArchiveError } from '../../lambda/archive/catalog.js';
import type { ArchiveStore } from '../../lambda/archive/store.js';
import { UsageError } from '../errors.js';

interface Place {
  readonly store: ArchiveStore;
  readonly regime: string;
}

/** Nothing may also be a wrong name, store or regime. */
export async function noArchives({ store, regime }: Place, tenant: string | undefined): Promise<string> {
  const whose = tenant === undefined ? '' : ` of tenant ${JSON.stringify(tenant)}`;
  return `no archives${whose} under regime ${regime} in ${store.location}${await alsoUnder(store, regime, tenant)}`;
}

/** Where there is no archive to work on, the error says under which other regimes there are some. */
export async function orElsewhere<T>(
  { store, regime }: Place,
  tenant: string | undefined,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof NoArchiveError)) throw error;
    throw new UsageError(error.message + (await alsoUnder(store, regime, tenant)));
  }
}
