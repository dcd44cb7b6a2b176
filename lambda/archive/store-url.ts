import { InputError } from '../errors.js';
import type { S3StoreOptions } from './s3-store.js';

const SHAPE = 's3://bucket/prefix/?region=eu-central-1';
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const CONFIGURED =
  'it is in AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the AWS configuration; AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true leaves it out';
const KNOWN = [
  'region',
  'endpoint',
  'path-style',
  'part-limit',
  'equal-parts',
  'checksum',
  'conditional-writes',
  'add-only',
  'write-only',
  'country',
  'credentials',
  'lock',
];

/**
 * Reads `s3://bucket/prefix/?option=value`, which names a bucket of AWS or, by `endpoint`, of any other provider.
 *
 * Credentials never stand in it: SOVEREIGN_STORE_ACCESS_KEY_ID and SOVEREIGN_STORE_SECRET_ACCESS_KEY for a provider of
 * its own, and otherwise whatever AWS's own tools would use. Where one run has several stores, `credentials=NAME` says
 * which: `aws` for those of AWS's tools, any other name for SOVEREIGN_STORE_NAME_ACCESS_KEY_ID and its secret.
 *
 * @param configured the address of S3 where the URL has none, from the configuration of AWS's tools
 */
export function parseStoreUrl(
  url: string,
  environment: NodeJS.ProcessEnv = process.env,
  configured?: string,
): S3StoreOptions {
  // Without what may be a secret that somebody has written into it.
  const shown = url.replace(/\?.*/s, '').replace(/\/\/.*@/s, '//…@');
  const wrong = (what: string) => new InputError(`the store ${JSON.stringify(shown)} ${what}`);
  if (!URL.canParse(url)) throw wrong(`is not a URL; write it like ${SHAPE}`);
  const { protocol, hostname, port, hash, pathname, searchParams, username, password } = new URL(url);
  if (protocol !== 's3:' || !hostname) throw wrong(`names no bucket; write it like ${SHAPE}`);
  if (username || password)
    throw wrong(
      'holds credentials, which every user of this machine could read in the process list; give them in SOVEREIGN_STORE_ACCESS_KEY_ID and SOVEREIGN_STORE_SECRET_ACCESS_KEY',
    );
  // Left out, another place would be meant than the one that was written.
  if (port)
    throw wrong(
      `has the port ${port}, and a bucket has none; name another provider by &endpoint=https://host:port`,
    );
  if (hash) throw wrong('has a #, which ends a URL; write %23 for the character itself');
  const unknown = [...searchParams.keys()].filter((name) => !KNOWN.includes(name));
  if (unknown.length > 0) throw wrong(`has the option ${unknown.join(', ')}; known are ${KNOWN.join(', ')}`);

  const twice = [...searchParams.keys()].find((name) => searchParams.getAll(name).length > 1);
  if (twice !== undefined) throw wrong(`has the option ${twice} twice; give it once`);

  const yes = (name: string, otherwise: boolean): boolean => {
    const value = searchParams.get(name);
    if (value === null) return otherwise;
    if (value !== 'true' && value !== 'false') throw wrong(`has ${name}=${value}; it is true or false`);
    return value === 'true';
  };
  const region = searchParams.get('region') ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  if (!region) throw wrong(`names no region; add ?region=… or set AWS_REGION`);
  const checksum = searchParams.get('checksum') ?? 'sha256';
  if (checksum !== 'sha256' && checksum !== 'md5')
    throw wrong(`has checksum=${checksum}; it is sha256 or md5`);
  const parts = Number(searchParams.get('part-limit') ?? 10_000);
  if (!Number.isInteger(parts) || parts < 1 || parts > 10_000)
    throw wrong(`has part-limit=${searchParams.get('part-limit')}; it is a number from 1 to 10000`);
  const path = decoded(pathname.slice(1), wrong);
  return {
    bucket: hostname,
    prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
    region,
    forcePathStyle: yes('path-style', false),
    addOnly: yes('add-only', false),
    writeOnly: yes('write-only', false),
    ...countryOf(searchParams.get('country'), wrong),
    conditionalWrites: yes('conditional-writes', true),
    integrity: checksum,
    partLimits: { parts, equal: yes('equal-parts', false) },
    ...endpointOf(searchParams.get('endpoint') ?? configured, (what) =>
      wrong(searchParams.has('endpoint') ? what : `${what} (${CONFIGURED})`),
    ),
    ...lockOf(searchParams.get('lock'), wrong),
    ...credentialsOf(searchParams.get('credentials'), environment, wrong),
  };
}

type Wrong = (what: string) => InputError;

function decoded(path: string, wrong: Wrong): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw wrong('has a % that begins no escape; write %25 for the character itself');
  }
}

function endpointOf(endpoint: string | undefined, wrong: Wrong): { endpoint?: string } {
  if (endpoint === undefined) return {};
  if (!URL.canParse(endpoint)) throw wrong('has an endpoint that is not a URL like https://host');
  const { protocol, hostname, username, password } = new URL(endpoint);
  if (username || password)
    throw wrong(
      'has an endpoint with credentials; give them in SOVEREIGN_STORE_ACCESS_KEY_ID and SOVEREIGN_STORE_SECRET_ACCESS_KEY',
    );
  if (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname))) return { endpoint };
  throw wrong(`has the endpoint ${endpoint}; archives leave this machine only over https`);
}

function lockOf(lock: string | null, wrong: Wrong): Pick<S3StoreOptions, 'objectLock'> {
  if (lock === null) return {};
  const [, mode, days] = /^(governance|compliance):([1-9]\d{0,4})d$/.exec(lock) ?? [];
  if (!mode) throw wrong(`has lock=${lock}; it is governance:30d or compliance:30d, with a number of days`);
  return {
    objectLock: { mode: mode === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', days: Number(days) },
  };
}

function countryOf(country: string | null, wrong: Wrong): { country?: string } {
  if (country === null) return {};
  if (!/^[A-Z]{2}$/.test(country)) throw wrong(`has country=${country}; it is two capital letters, as in FR`);
  return { country };
}

function credentialsOf(
  name: string | null,
  environment: NodeJS.ProcessEnv,
  wrong: Wrong,
): Pick<S3StoreOptions, 'credentials'> {
  if (name === 'aws') return {};
  if (name !== null && !/^[a-z][a-z0-9_]{0,30}$/.test(name))
    throw wrong(`has credentials=${name}; it is a name of small letters, digits and _, or aws`);
  const prefix = name === null ? 'SOVEREIGN_STORE' : `SOVEREIGN_STORE_${name.toUpperCase()}`;
  const accessKeyId = environment[`${prefix}_ACCESS_KEY_ID`];
  const secretAccessKey = environment[`${prefix}_SECRET_ACCESS_KEY`];
  if (accessKeyId && secretAccessKey) return { credentials: { accessKeyId, secretAccessKey } };
  if (name !== null)
    throw wrong(
      `has credentials=${name}, so ${prefix}_ACCESS_KEY_ID and ${prefix}_SECRET_ACCESS_KEY must be set`,
    );
  if (!accessKeyId && !secretAccessKey) return {};
  throw new InputError(
    'only one of SOVEREIGN_STORE_ACCESS_KEY_ID and SOVEREIGN_STORE_SECRET_ACCESS_KEY is set; the store needs both or neither',
  );
}
