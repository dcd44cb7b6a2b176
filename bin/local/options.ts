import { type Command, InvalidArgumentError, Option } from 'commander';

/** The regime part of every path in local mode, where no cloud region is involved. */
export const LOCAL_REGIME = 'local';

export interface StoreOptions {
  readonly store: string;
  readonly regime: string;
}
/** A key as it was named: a file, a folder with one for each tenant, or a key in AWS KMS. */
export type KeyChoice = { readonly file: string } | { readonly folder: string } | { readonly kms: string };

/** Each of them is the list of all keys, in the order in which they were given. */
export interface KeyOptions extends StoreOptions {
  readonly keyFile?: readonly KeyChoice[];
  readonly keyDir?: readonly KeyChoice[];
  readonly kmsKey?: readonly KeyChoice[];
}

/** Of commands that work on several stores at once. */
export interface StoresOptions extends Omit<KeyOptions, 'store'> {
  readonly store: readonly string[];
}

const STORE =
  'folder that holds the archives, or a bucket: s3://bucket/archives/?region=eu-central-1 (&endpoint=https://… of another provider)';

export function withStore(command: Command): Command {
  return withRegime(command.requiredOption('--store <place>', STORE));
}

export function withStores(command: Command): Command {
  const all = (given: string, before: readonly string[] = []) => [...before, given];
  return withRegime(command.requiredOption('--store <place>', `${STORE}; repeatable`, all));
}

export function withRegime(command: Command): Command {
  return command.option(
    '--regime <id>',
    'privacy regime whose archives these are, as in eu; of a bucket',
    parseRegime,
    LOCAL_REGIME,
  );
}

/** The rule of `PrivacyRegime`; it is a part of every path. */
function parseRegime(text: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) || text.length > 32)
    throw new InvalidArgumentError(
      `${JSON.stringify(text)} is not the id of a regime: lower-case letters, digits and single dashes, such as eu or acme-dach.`,
    );
  return text;
}

/** Of commands that bring archives into a store. */
export function withPolicy(command: Command): Command {
  return command.option(
    '--policy <file>',
    'regimes and exceptions (as of `audit`) by which the region or country of a bucket is judged',
  );
}

export function withKey(command: Command): Command {
  return withKeyOptions(withStore(command), 'repeatable: former keys, too');
}

/** The order between the different options counts, so they share one list. */
export function withKeyOptions(command: Command, repeatable: string): Command {
  const keys: KeyChoice[] = [];
  const add = (choice: (given: string) => KeyChoice) => (given: string) => {
    keys.push(choice(given));
    return keys;
  };
  return command
    .option(
      '--key-file <file>',
      `file with the key, made by \`sovereign-backup keygen\`; ${repeatable}`,
      add((file) => ({ file })),
    )
    .option(
      '--key-dir <folder>',
      'folder with a key for each tenant, so that one can be erased; `dump` makes what is missing',
      add((folder) => ({ folder })),
    )
    .option(
      '--kms-key <arn>',
      'ARN of the key in AWS KMS, instead of a key file',
      add((kms) => ({ kms })),
    );
}

export function withServer(command: Command, { required } = { required: true }): Command {
  const server = new Option(
    '--server <url>',
    'engine, user, host and port: postgres://app@127.0.0.1:5432?sslmode=verify-full (no password in it)',
  );
  return command
    .addOption(server.makeOptionMandatory(required))
    .option('--database <name>', "the tenant's database, where its name is not the tenant's");
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print one JSON document on standard output');
}

/** Bytes per second: `500k`, `20M`, in powers of a thousand. */
export function parseRate(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text) ?? [];
  const rate = Math.floor(Number(number) * { '': 1, k: 1e3, M: 1e6, G: 1e9 }[unit as '' | 'k' | 'M' | 'G']);
  if (!(rate >= 1000))
    throw new InvalidArgumentError(
      `${JSON.stringify(text)} is not a number of bytes per second from 1k, such as 500k or 20M.`,
    );
  return rate;
}

/** A whole number within limits. */
export function parseWhole(from: number, to: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d{1,9}$/.test(text) || number < from || number > to)
      throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from ${from} to ${to}.`);
    return number;
  };
}

/** What is said, and held against the manifest, of each table. */
export function checksumsOption(description: string): Option {
  return new Option('--checksums <depth>', description).choices(['rows', 'content']);
}

/** ISO 8601 with a time of day; without a zone it is UTC, as all times that this tool prints. */
export function parseTime(text: string): Date {
  const [, day, hour, minute = '00', second = '00', fraction = '', sign, hours, minutes = '00'] =
    /^(\d{4}-\d\d-\d\d)T(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?$/i.exec(
      text,
    ) ?? [];
  const zone = sign === undefined ? 'Z' : `${sign}${hours}:${minutes}`;
  const time = new Date(`${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}${zone}`);
  // The 30th of February would be taken for the 2nd of March.
  const midnight = new Date(`${day}T00:00Z`);
  if (Number.isNaN(time.getTime()) || midnight.toISOString().slice(0, 10) !== day)
    throw new InvalidArgumentError(
      `${JSON.stringify(text)} is not an ISO 8601 time with a time of day, such as 2026-11-20T15:00Z.`,
    );
  return time;
}

export function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError(`${JSON.stringify(text)} is not a whole number from 0.`);
  return Number(text);
}

export interface RetentionOptions {
  readonly keepDays?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly keepMonthly?: number;
}

export function withRetention(command: Command): Command {
  return command
    .option(
      '--keep-days <number>',
      'everything that is younger (default: 7, when no other rule is given)',
      parseCount,
    )
    .option(
      '--keep-daily <number>',
      'the newest of each of so many days that have archives (UTC)',
      parseCount,
    )
    .option('--keep-weekly <number>', 'the newest of each of so many weeks, from Monday', parseCount)
    .option('--keep-monthly <number>', 'the newest of each of so many months', parseCount);
}
