import { isDeepStrictEqual } from 'node:util';
import { nameOf } from './own-settings.js';
import type { DatabaseProperties } from './properties.js';

type Archived = Readonly<Record<string, unknown>>;

const IN_WORDS = {
  owner: 'owner',
  encoding: 'encoding',
  collate: 'LC_COLLATE',
  ctype: 'LC_CTYPE',
  locale: 'locale',
  connectionLimit: 'connection limit',
} as const;

/**
 * What belongs to the database itself a restored one has from the live one. Where that was not so in the archive, as when
 * somebody has made a dropped database anew, whoever restores has to know it. In words.
 */
export function otherThanArchived(live: DatabaseProperties, archived: Archived): string[] {
  const differs = (name: keyof DatabaseProperties, of = (value: unknown) => value) =>
    archived[name] !== undefined && !isDeepStrictEqual(of(archived[name]), of(live[name]));
  const single = (Object.keys(IN_WORDS) as (keyof typeof IN_WORDS)[]).filter((name) => differs(name));
  return [
    ...single.map(
      (name) =>
        `the ${IN_WORDS[name]} is that of the live database, ${JSON.stringify(live[name])}; in the archive it is ${JSON.stringify(archived[name])}`,
    ),
    ...(differs('settings', comparable)
      ? [
          "the database's settings (ALTER DATABASE SET) are those of the live one; in the archive they are others",
        ]
      : []),
    ...(!isDeepStrictEqual(grantsOf(archived as unknown as DatabaseProperties), grantsOf(live))
      ? ["the database's grants are those of the live one; in the archive they are others"]
      : []),
  ];
}

/** What an owner has anyway is not among them; PostgreSQL's defaults are the same whether they were written down or not. */
function grantsOf({ grants, owner }: DatabaseProperties): string[] {
  const byDefault = ['CONNECT', 'TEMPORARY'].map((privilege) => ({
    grantee: null,
    privilege,
    grantable: false,
  }));
  return (grants ?? byDefault)
    .filter(({ grantee }) => grantee !== owner)
    .map(({ grantee, privilege, grantable }) => JSON.stringify([grantee, privilege, grantable]))
    .sort();
}

/** Without names of the application's own, which an archive does not have; in a fixed order. */
function comparable(settings: unknown): unknown {
  return (settings as DatabaseProperties['settings'])
    .flatMap(({ role, values }) =>
      values.filter((setting) => !nameOf(setting).includes('.')).map((setting) => `${role} ${setting}`),
    )
    .sort();
}

/** Settings that no archive has, of a live database that is gone. */
export function lostWithLive(archived: Archived): string[] {
  const { withheld = [] } = archived as Pick<DatabaseProperties, 'withheld'>;
  return withheld.map((what) => `${what} has to be made anew: its value is not in the archive`);
}
