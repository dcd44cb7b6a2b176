// What somebody puts into a store who may add to it, and has no key.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { ArchiveKey } from '../../lambda/archive/key';
import { kmsKey } from '../../lambda/archive/kms-key';
import { readKeyFile } from '../../lambda/archive/raw-key';
import { bundled } from '../support/bundled';
import { runCli } from '../support/cli';
import { startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';
import { archiveOf } from './described-archive';
import { sealedArchive } from './sealed-archive';

const moto = useMoto();
const { S3Store } = bundled<typeof import('../../lambda/archive/s3-store')>('lambda/archive/s3-store.ts');
const DAY = 86_400_000;
let folder: string;
let store: string;
let keyFile: string;
let key: ArchiveKey;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'planted-'));
  store = join(folder, 'store');
  mkdirSync(store);
  ({ file: keyFile, key } = await newKey('key'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function newKey(name: string) {
  const file = join(folder, name);
  expect((await runCli(['keygen', file])).code).toBe(0);
  return { file, key: await readKeyFile(file) };
}
/** A key folder with a key of each of these. */
async function keyFolder(...tenants: string[]) {
  const keys = join(folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  for (const tenant of tenants) expect((await runCli(['rekey', tenant, '--key-dir', keys])).code).toBe(0);
  return keys;
}
const keyOfFolder = (keys: string, tenant: string) => {
  const [newest] = readdirSync(join(keys, tenant)).sort().reverse();
  return readKeyFile(join(keys, tenant, newest!));
};

interface Made {
  readonly archive: string;
  readonly files: Record<string, Buffer | string>;
}
function put(tenant: string, { archive, files }: Made): string {
  const place = join(store, 'local', tenant, archive);
  mkdirSync(place, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(place, name), content);
  return archive;
}
const genuine = async (tenant: string, daysAgo: number, under = key) =>
  put(tenant, await sealedArchive(under, tenant, daysAgo));
/** In shape it is an archive, whatever key it names. */
const planted = (tenant: string, daysAgo: number, says: object = { key: { id: key.id } }) =>
  put(tenant, archiveOf(tenant, daysAgo, 3, says));

/** So many days ago at an hour of the day in UTC. */
const at = (days: number, hour: number) => {
  const midnight = Math.floor(Date.now() / DAY) * DAY;
  return (Date.now() - (midnight - days * DAY + hour * 3_600_000)) / DAY;
};
const left = (tenant: string) => readdirSync(join(store, 'local', tenant)).sort();
const run = (command: string, ...args: string[]) => runCli([command, '--store', store, '--json', ...args]);
interface Pruned {
  readonly archive: string | null;
  readonly tenant: string;
  readonly state: string;
  readonly reasons: string[];
}
const states = (ran: { json<T>(): T }) =>
  Object.fromEntries(ran.json<Pruned[]>().map(({ archive, state }) => [archive, state]));

describe('prune', () => {
  test('with the key, takes nothing for an archive whose seal does not open, and does not delete it, either', async () => {
    const [older, real] = [await genuine('acme', at(3, 8)), await genuine('acme', at(3, 10))];
    const newest = await genuine('acme', at(1, 10));
    const sameDay = planted('acme', at(3, 12));
    const last = planted('acme', at(1, 12));
    // A seal that was taken from another archive.
    const moved = put('acme', {
      ...archiveOf('acme', at(3, 14), 3, { key: { id: key.id } }),
    });
    writeFileSync(
      join(store, 'local/acme', moved, 'manifest.seal'),
      readFileSync(join(store, 'local/acme', real, 'manifest.seal')),
    );
    const pruned = await run('prune', '--keep-daily', '5', '--key-file', keyFile);
    expect(pruned.code).toBe(3);
    expect(states(pruned)).toEqual({
      [last]: 'failed',
      [newest]: 'kept',
      [moved]: 'failed',
      [sameDay]: 'failed',
      [real]: 'kept',
      [older]: 'deleted',
    });
    expect(left('acme')).toEqual([real, sameDay, moved, newest, last].sort());
    expect(pruned.json<Pruned[]>()[0]!.reasons[0]).toMatch(
      /not proven and counts as none: manifest\.seal: .*; it was not deleted: look at it with `verify`/,
    );
    expect(pruned.stderr).toContain('3 archives could not be deleted, read or proven');
    expect(pruned.stderr).not.toContain('without a key');
  });

  test('of a tenant whose dumps have stopped keeps the last one that is real', async () => {
    const real = await genuine('acme', 30);
    await genuine('acme', 40);
    planted('acme', 20);
    planted('acme', 0.01);
    expect((await run('prune', '--key-file', keyFile)).code).toBe(3);
    expect(left('acme')[0]).toBe(real);
  });

  test('without a key takes archives at their word, and says so', async () => {
    const real = await genuine('acme', at(3, 10));
    const [sameDay, last] = [planted('acme', at(3, 12)), planted('acme', at(1, 12))];
    const pruned = await run('prune', '--keep-daily', '5');
    expect([pruned.code, states(pruned)]).toEqual([
      0,
      { [last]: 'kept', [sameDay]: 'kept', [real]: 'deleted' },
    ]);
    expect(pruned.stderr).toContain('without a key archives are taken at their word');
    expect((await run('prune', '--keep-daily', '5')).stderr).toBe('');
  });

  test('leaves alone what a key opens that was not given, or a later version wrote', async () => {
    const former = await newKey('former');
    const old = await genuine('acme', at(5, 10), former.key);
    const [older, real] = [await genuine('acme', at(4, 8)), await genuine('acme', at(4, 10))];
    const newer = planted('acme', at(4, 12), { schemaVersion: 2 });
    const pruned = await run('prune', '--keep-daily', '5', '--key-file', keyFile);
    expect([pruned.code, states(pruned)]).toEqual([
      3,
      { [newer]: 'failed', [real]: 'kept', [older]: 'deleted', [old]: 'failed' },
    ]);
    expect(pruned.json<Pruned[]>().at(-1)!.reasons[0]).toContain('give all the keys that there are');
    await genuine('acme', at(4, 6));
    const both = await run('prune', '--keep-daily', '5', '--key-file', keyFile, '--key-file', former.file);
    expect(states(both)).toMatchObject({ [old]: 'kept', [newer]: 'failed' });
  });

  test('deletes nothing of a tenant whose key is not there, and prunes the others', async () => {
    const keys = await keyFolder('acme');
    const own = await keyOfFolder(keys, 'acme');
    const [gone, kept] = [await genuine('acme', 30, own), await genuine('acme', 20, own)];
    const others = [await genuine('other', 30), await genuine('other', 20)];
    const pruned = await run('prune', '--key-dir', keys);
    expect(pruned.code).toBe(3);
    expect(states(pruned)).toEqual({ [gone]: 'deleted', [kept]: 'kept', null: 'failed' });
    expect(pruned.stderr).toContain('has no key of tenant "other"');
    expect([left('acme'), left('other')]).toEqual([[kept], others]);
    // Where there is no such folder, or file, nothing begins.
    await genuine('acme', 30, own);
    for (const [option, name] of [
      ['--key-dir', 'nowhere'],
      ['--key-file', 'none'],
    ] as const)
      expect((await run('prune', '--key-dir', keys, option, join(folder, name))).code).toBe(2);
    expect(left('acme')).toHaveLength(2);
    expect((await run('prune', '--key-dir', keys, '--key-file', keyFile)).code).toBe(0);
    expect([left('acme'), left('other')]).toEqual([[kept], [others[1]]]);
  });

  test('in a bucket under a KMS key: planted ones take no place, and while KMS fails nothing goes', async () => {
    const { endpoint, environment } = moto();
    const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
    const client = { region: 'eu-central-1', endpoint, credentials };
    const s3 = new S3Client(client);
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' } as const;
    await s3.send(new CreateBucketCommand({ Bucket: 'planted', CreateBucketConfiguration }));
    const arn = (await new KMSClient(client).send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
    const bucket = new S3Store({ ...client, bucket: 'planted', forcePathStyle: true });
    const write = async (tenant: string, { archive, files }: Made) => {
      for (const [name, content] of Object.entries(files))
        await bucket.write(`local/${tenant}/${archive}/${name}`, Readable.from([Buffer.from(content)]));
      return archive;
    };
    const own = kmsKey({
      arn,
      endpoint,
      credentials: { provide: async () => credentials, renew: () => {} },
    });
    const real = await write('acme', await sealedArchive(own, 'acme', at(3, 10)));
    const older = await write('acme', await sealedArchive(own, 'acme', at(3, 8)));
    const false_ = await write('acme', archiveOf('acme', at(3, 12), 3, { key: { id: arn } }));
    const proxy = await startFaultProxy(endpoint);
    const env = { ...environment, AWS_ENDPOINT_URL: proxy.endpoint };
    const prune = () =>
      runCli(
        ['prune', '--store', 's3://planted/?region=eu-central-1&path-style=true', '--json'].concat([
          '--keep-daily',
          '5',
          '--kms-key',
          arn,
        ]),
        { env },
      );
    proxy.fault = ({ name }) =>
      name.startsWith('KMS') ? { status: 400, code: 'DisabledException' } : undefined;
    // One that KMS is not asked about is told from the others first.
    const down = await prune();
    expect([down.code, down.json<Pruned[]>().map(({ state }) => state)]).toEqual([3, ['failed']]);
    expect(down.stderr).toContain('the key is disabled');
    proxy.fault = () => undefined;
    const up = await prune();
    await proxy.stop();
    expect([up.code, states(up)]).toEqual([3, { [false_]: 'failed', [real]: 'kept', [older]: 'deleted' }]);
  });
});

describe('an archive of the future', () => {
  test('is no backup: list leaves it out and says so, verify, restore and copy pass over it, prune lets it take no place', async () => {
    const [first, real] = [await genuine('acme', 21), await genuine('acme', 20)];
    const future = await genuine('acme', -400);
    const soon = planted('acme', -0.2);
    const listed = await run('list', 'acme');
    expect(listed.code).toBe(0);
    expect(listed.json<Made[]>().map(({ archive }) => archive)).toEqual([real, first]);
    for (const archive of [soon, future])
      expect(listed.stderr).toContain(
        `archive ${archive} of "acme" cannot be listed: it is dated in the future`,
      );

    const verified = await run('verify', 'acme', '--key-file', keyFile);
    expect(verified.json()).toMatchObject({ ok: true, archive: real });
    expect(verified.stderr).toContain(`archive ${future} of "acme" is passed over`);
    const file = join(folder, 'dump');
    const restored = await run('restore', 'acme', '--to-file', file, '--key-file', keyFile);
    expect([restored.code, restored.json<Made>().archive]).toEqual([0, real]);
    expect(restored.stderr).toContain('is passed over (`--at`');
    // Whoever names the time takes it all the same: the clock of the dump may have been wrong.
    const wrongClock = await run('verify', 'acme', '--at', '2100-01-01T00:00Z', '--key-file', keyFile);
    expect(wrongClock.json()).toMatchObject({ ok: true, archive: future });
    expect(wrongClock.stderr).toBe('');

    const to = join(folder, 'copies');
    const copied = await runCli(['copy', 'acme', '--from', store, '--to', to, '--json']);
    expect([copied.code, copied.json()]).toEqual([0, [expect.objectContaining({ archive: real })]]);
    expect(copied.stderr).toContain('is passed over (`--all` takes it): it is dated in the future');

    const pruned = await run('prune', '--keep-daily', '1', '--key-file', keyFile);
    expect([pruned.code, states(pruned)]).toEqual([
      0,
      { [future]: 'kept', [soon]: 'kept', [real]: 'kept', [first]: 'deleted' },
    ]);
  });

  test('a clock that is a little ahead makes none, and where there are no others that is said', async () => {
    const ahead = await genuine('acme', -0.02);
    expect((await run('list')).json()).toMatchObject([{ archive: ahead, tables: [] }]);
    expect((await run('verify', 'acme', '--key-file', keyFile)).json()).toMatchObject({ archive: ahead });
    const future = await genuine('other', -1);
    const verified = await run('verify', 'other', '--key-file', keyFile);
    expect([verified.code, verified.stderr]).toEqual([
      2,
      expect.stringMatching(`${future} of "other" is passed over.*\n.*no archive.*the oldest is of`),
    ]);
    expect((await run('list', 'other')).stderr).not.toContain('no archives');
  });
});

describe('several keys for reading', () => {
  test('a folder without a key of the tenant is one that does not open it, as any other key', async () => {
    const keys = await keyFolder();
    const archive = await genuine('acme', 1);
    for (const args of [
      ['--key-file', keyFile, '--key-dir', keys],
      ['--key-dir', keys, '--key-file', keyFile],
    ])
      expect((await run('verify', 'acme', ...args)).json()).toEqual({ ok: true, archive, problems: [] });
    const alone = await run('verify', 'acme', '--key-dir', keys);
    expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('has no key of tenant "acme"')]);
    const other = await newKey('other');
    const neither = await run('verify', 'acme', '--key-dir', keys, '--key-file', other.file);
    expect([neither.code, neither.stderr]).toEqual([
      2,
      expect.stringMatching(
        /was written under key raw:.* was given; give all the keys.*has no key of tenant "acme"/,
      ),
    ]);
    const nowhere = await run('verify', 'acme', '--key-file', keyFile, '--key-dir', join(folder, 'nowhere'));
    expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining('is not a folder')]);
  });

  test('a former key of the folder opens its archive, whichever is named first', async () => {
    const keys = await keyFolder('acme');
    const archive = await genuine('acme', 1, await keyOfFolder(keys, 'acme'));
    expect((await runCli(['rekey', 'acme', '--key-dir', keys])).code).toBe(0);
    for (const args of [
      ['--key-file', keyFile, '--key-dir', keys],
      ['--key-dir', keys, '--key-file', keyFile],
    ])
      expect((await run('verify', 'acme', ...args)).json()).toEqual({ ok: true, archive, problems: [] });
  });
});
