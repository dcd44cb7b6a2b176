import type * as Module from '../../lambda/archive/store-url';
import { bundled } from '../support/bundled';

const { parseStoreUrl } = bundled<typeof Module>('lambda/archive/store-url.ts');
const none = {};

test('a bucket of AWS needs its name and region', () => {
  expect(parseStoreUrl('s3://archives-eu/archives?region=eu-central-1', none)).toMatchObject({
    bucket: 'archives-eu',
    prefix: 'archives/',
    region: 'eu-central-1',
    integrity: 'sha256',
    conditionalWrites: true,
    partLimits: { parts: 10_000, equal: false },
  });
  expect(parseStoreUrl('s3://archives-eu', { AWS_REGION: 'eu-west-1' })).toMatchObject({
    prefix: '',
    region: 'eu-west-1',
  });
});

test("another provider's bucket has its own endpoint, limits and credentials", () => {
  const url =
    's3://copies/a%20b/?region=fr-par&endpoint=https://s3.fr-par.scw.cloud&path-style=true&part-limit=1000' +
    '&equal-parts=true&checksum=md5&conditional-writes=false&add-only=true&lock=compliance:30d';
  const environment = { SOVEREIGN_STORE_ACCESS_KEY_ID: 'id', SOVEREIGN_STORE_SECRET_ACCESS_KEY: 'secret' };
  expect(parseStoreUrl(url, environment)).toEqual({
    bucket: 'copies',
    prefix: 'a b/',
    region: 'fr-par',
    writeOnly: false,
    endpoint: 'https://s3.fr-par.scw.cloud',
    forcePathStyle: true,
    partLimits: { parts: 1000, equal: true },
    integrity: 'md5',
    conditionalWrites: false,
    addOnly: true,
    objectLock: { mode: 'COMPLIANCE', days: 30 },
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
  });
});

test.each([
  ['s3:///prefix?region=a', 'names no bucket'],
  ['s3://b', 'names no region'],
  ['s3://id:secret@b?region=a', 'the store "s3://…@b" holds credentials'],
  ['s3://id:sec/ret@b?region=a', 'the store "s3://…@b" is not a URL'],
  ['s3://minio.local:9000/b?region=a', 'the port 9000'],
  ['s3://b/x#y?region=a', 'write %23'],
  ['s3://b?region=a&region=b', 'has the option region twice'],
  ['s3://b/%zz/?region=a', 'a % that begins no escape'],
  ['s3://b?region=a&endpoint=https://id:secret@h', 'the store "s3://b" has an endpoint with credentials'],
  ['s3://b?region=a&secret-key=secret', 'the store "s3://b" has the option secret-key'],
  ['s3://b?region=a&force=1', 'known are region, endpoint'],
  ['s3://b?region=a&path-style=yes', 'it is true or false'],
  ['s3://b?region=a&checksum=none', 'it is sha256 or md5'],
  ['s3://b?region=a&part-limit=0', 'from 1 to 10000'],
  ['s3://b?region=a&endpoint=http://storage.example', 'only over https'],
  ['s3://b?region=a&endpoint=storage', 'not a URL'],
  ['s3://b?region=a&lock=30', 'governance:30d or compliance:30d'],
])('%s is refused', (url, message) => {
  expect(() => parseStoreUrl(url, none)).toThrow(message);
});

test('half of the credentials are refused', () => {
  const half = { SOVEREIGN_STORE_ACCESS_KEY_ID: 'id' };
  expect(() => parseStoreUrl('s3://b?region=a', half)).toThrow('needs both or neither');
});
