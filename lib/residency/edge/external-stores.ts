/** Stores at other providers, of which only the country is known, and that by declaration. */
import { isObject } from '../resolve/stack';
import { isLiteral } from '../resolve/text';
import { type Found, parsed } from './documents';
import { NOWHERE, unknownEnd } from './end';
import type { Reading } from './forms';

/** Reads what the worker of tenant backups is told: a list of objects whose `url` has `country` in its query. */
export function readExternalStores(text: string, reading: Reading): readonly Found[] {
  const stores = parsed(text);
  if (!Array.isArray(stores)) {
    const why = reading.resolver.tokens.why(text) ?? 'what the worker is told of external stores is no list';
    return [{ to: unknownEnd(why), at: '' }];
  }
  return stores.map((store, i) => {
    const url = isObject(store) && typeof store.url === 'string' ? store.url : '';
    const country = isLiteral(url) ? new URLSearchParams(url.split('?')[1]).get('country') : null;
    const to =
      country !== null && /^[A-Z]{2}$/.test(country)
        ? { ...NOWHERE, country }
        : unknownEnd('the address of an external store names no country');
    return { to, at: `[${i}]` };
  });
}
