import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CreateKeyCommand, DescribeKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { Ajv } from 'ajv';
import { eraseTenant } from '../../lambda/archive/erase-tenant';
import { FolderStore } from '../../lambda/archive/folder-store';
import { holdArchives } from '../../lambda/archive/holds';
import { runCli } from '../support/cli';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type Workspace, workspace } from '../support/tenants';

const postgres = usePostgres();
const moto = useMoto();
let work: Workspace;
let keys: string;
beforeAll(async () => {
  work = await workspace(postgres);
  keys = join(work.folder, 'keys');
  mkdirSync(keys, { mode: 0o700 });
  for (const name of ['acme', 'other']) {
    await postgres().query(`create database ${name}`);
    await postgres().query('create table t as select generate_series(1, 10) as i', [], name);
  }
});
afterAll(() => work?.remove());

const run = (args: string[]) => runCli(args, { env: moto().environment });
const on = () => ['--store', work.store, '--key-dir', keys];
const server = () => ['--server', `${postgres().url}?sslmode=disable`];
const certificate = (name: string) => join(work.folder, name);
const validate = new Ajv().compile(
  JSON.parse(readFileSync(join(__dirname, '../../schema/erasure.schema.json'), 'utf8')),
);
function readCertificate(name: string) {
  const told = JSON.parse(readFileSync(certificate(name), 'utf8'));
  expect(validate(told) ? [] : validate.errors).toEqual([]);
  return told as {
    archives: { archive: string; sha256: string }[];
    unreadableFrom: string;
    [field: string]: unknown;
  };
}
const dump = async (tenant: string, args = on()) => {
  const ran = await run(['dump', tenant, ...server(), ...args, '--json']);
  expect(ran).toMatchObject({ code: 0 });
  return { ...ran.json<{ archive: string; at: string }>(), stderr: ran.stderr };
};

test('a key for each tenant is made once; after rekey old archives stay readable; erased, none is', async () => {
  const first = await dump('acme');
  await dump('other');
  const folder = join(keys, 'acme');
  const [file] = readdirSync(folder);
  expect(statSync(join(folder, file!)).mode & 0o777).toBe(0o600);
  expect(first.stderr).toMatch(new RegExp(`^key raw:\\w+ written to ${join(folder, file!)}\nKeep a copy`));
  expect((await dump('acme')).stderr).not.toContain('Keep a copy');
  expect(readdirSync(folder)).toEqual([file]);

  // A clock that was set back makes no new key the older one.
  renameSync(join(folder, file!), join(folder, '20990101T000000.000Z-00000000.key'));
  const rekeyed = (await run(['rekey', 'acme', '--key-dir', keys, '--json'])).json<{ key: string }>();
  const last = await dump('acme');
  const newest = JSON.parse(
    readFileSync(join(work.store, 'local/acme', last.archive, 'manifest.json'), 'utf8'),
  );
  expect(newest.key.id).toBe(rekeyed.key);
  for (const { at } of [first, last])
    expect(await run(['verify', 'acme', ...on(), '--at', at])).toMatchObject({ code: 0 });
  // A copy under a key of its own, which no erasure here can reach.
  const copies = join(work.folder, 'copies');
  const copy = await dump('acme', ['--store', copies, '--key-file', work.key]);

  const erase = (args: string[]) =>
    run(['erase', 'acme', ...on(), '--certificate', certificate('acme.json'), ...args]);
  const unnamed = await erase([]);
  expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining("destroys the tenant's key")]);
  expect((await erase(['--confirm', 'Acme'])).code).toBe(2);
  await run(['hold', 'acme', '--store', work.store, '--reason', 'case 7']);
  const held = await erase(['--confirm', 'acme']);
  expect([held.code, held.stderr]).toEqual([2, expect.stringContaining('are held (all)')]);
  await run(['release', 'acme', '--store', work.store]);
  expect(readdirSync(folder)).toHaveLength(2);
  expect(existsSync(certificate('acme.json'))).toBe(false);

  // What a later version wrote may be under this key; of what is damaged nobody can say.
  const [others] = readdirSync(join(work.store, 'local/other')) as [string];
  const theirs = join(work.store, 'local/other', others, 'manifest.json');
  const manifest = readFileSync(theirs, 'utf8');
  writeFileSync(theirs, manifest.replace('"schemaVersion": 1', '"schemaVersion": 2'));
  const newer = await erase(['--confirm', 'acme']);
  expect([newer.code, newer.stderr]).toEqual([2, expect.stringContaining('use the version that wrote it')]);
  writeFileSync(theirs, manifest);
  const damaged = last.archive.replace(/.{8}$/, '00000000');
  const copied = join(work.store, 'local/acme', damaged);
  cpSync(join(work.store, 'local/acme', last.archive), copied, { recursive: true });

  const erased = await erase(['--confirm', 'acme', '--store', copies]);
  expect(erased).toMatchObject({ code: 0 });
  expect(erased.stderr).toContain('1 archive of acme under other keys can be read as before');
  const told = readCertificate('acme.json');
  expect(told.unjudged).toMatchObject([{ store: work.store, archive: damaged }]);
  rmSync(copied, { recursive: true });
  const listed = (await run(['list', 'acme', '--store', work.store, '--json'])).json<{ archive: string }[]>();
  expect(told.archives.map(({ archive }) => archive).sort()).toEqual(
    listed.map(({ archive }) => archive).sort(),
  );
  expect(told.archives).toContainEqual(
    expect.objectContaining({
      store: work.store,
      archive: last.archive,
      sha256: newest.data.sha256,
      key: rekeyed.key,
    }),
  );
  expect(told.stillReadable).toMatchObject([{ store: copies, archive: copy.archive }]);
  expect(readdirSync(work.folder).filter((name) => name.includes('unfinished'))).toEqual([]);

  expect(existsSync(folder)).toBe(false);
  const verified = await run(['verify', 'acme', ...on()]);
  expect([verified.code, verified.stderr]).toEqual([
    2,
    expect.stringContaining('has no key of tenant "acme"'),
  ]);
  expect(await run(['verify', 'other', ...on()])).toMatchObject({ code: 0 });
  const again = await run([
    'erase',
    'acme',
    ...on(),
    '--certificate',
    certificate('2.json'),
    '--confirm',
    'acme',
  ]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('it was erased before')]);
});

test('a hold that is made while somebody is asked is obeyed', async () => {
  const store = new FolderStore(join(work.folder, 'asked'));
  const hold = { store, regime: 'local', tenant: 'acme' };
  const destroy = jest.fn();
  const said: string[] = [];
  const erasing = eraseTenant({
    tenant: 'acme',
    regime: 'local',
    stores: [store],
    keys: { ids: ['raw:x'], method: 'none', destroy },
    say: (message) => said.push(message),
    confirm: async () => {
      await holdArchives({ ...hold, reason: 'case 9' });
      return 'acme';
    },
    prepared: async () => {},
  });
  await expect(erasing).rejects.toThrow('are held (all); nothing was erased');
  expect(destroy).not.toHaveBeenCalled();
  expect(said).toEqual([expect.stringContaining('there is no archive of "acme" under regime local')]);
});

test('a dump whose key is destroyed while it runs fails, and leaves nothing', async () => {
  const store = join(work.folder, 'raced');
  const ran = await runCli(
    ['dump', 'acme', ...server(), '--store', store, '--key-dir', keys, '--limit-rate', '1k'],
    {
      started: (child) =>
        child.stderr!.on('data', (text) => {
          if (String(text).includes('snapshot of')) rmSync(join(keys, 'acme'), { recursive: true });
        }),
    },
  );
  expect([ran.code, ran.stderr]).toEqual([
    3,
    expect.stringMatching(/the key raw:\w+ is not in \S+ any more/),
  ]);
  expect(readdirSync(store)).toEqual([]);
});

test('a hold on what is deleted meanwhile is not said to be one', async () => {
  const { archive, at } = await dump('other');
  const store = new FolderStore(work.store);
  const write = store.write.bind(store);
  // As a `prune` does that had looked for holds right before.
  store.write = async (key, body) => {
    rmSync(join(work.store, 'local/other', archive, 'manifest.json'));
    return write(key, body);
  };
  const holding = holdArchives({
    store,
    regime: 'local',
    tenant: 'other',
    at: new Date(at),
    reason: 'case 9',
  });
  await expect(holding).rejects.toThrow(`archive ${archive} of tenant "other" in ${work.store} was deleted`);
});

test("in KMS the key's deletion is scheduled; a key that opens others' archives is left alone", async () => {
  const kms = new KMSClient({
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
  });
  const newKey = async () => (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.Arn!;
  const [shared, own] = [await newKey(), await newKey()];
  const store = ['--store', join(work.folder, 'kms')];
  for (const tenant of ['acme', 'other']) await dump(tenant, [...store, '--kms-key', shared]);
  const { archive } = await dump('acme', [...store, '--kms-key', own]);
  const erase = (key: string, name: string, args: string[] = []) =>
    run([
      'erase',
      'acme',
      ...store,
      '--kms-key',
      key,
      '--certificate',
      certificate(name),
      '--confirm',
      'acme',
      ...args,
    ]);
  const stateOf = async (KeyId: string) => (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata!;

  const refused = await erase(shared, 'shared.json');
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('opens archives of other tenants, too: "other"'),
  ]);
  expect((await stateOf(shared)).KeyState).toBe('Enabled');
  expect((await erase(own, 'own.json', ['--waiting-days', '6'])).stderr).toContain('KMS takes 7 to 30');

  const done = await erase(own, 'own.json', ['--waiting-days', '7']);
  expect([done.code, done.stderr]).toEqual([
    0,
    expect.stringContaining('1 archive of acme under other keys'),
  ]);
  const { KeyState, DeletionDate } = await stateOf(own);
  expect(KeyState).toBe('PendingDeletion');
  const told = readCertificate('own.json');
  expect(told.archives).toMatchObject([{ archive, key: own }]);
  expect(told.unreadableFrom).toBe(DeletionDate!.toISOString());
  expect(told.stillReadable).toMatchObject([{ key: shared }]);
  const twice = await erase(own, 'twice.json');
  expect(twice.code).toBe(0);
  expect(readCertificate('twice.json').method).toContain('had been scheduled before');
});

test.each([
  [['--key-file', 'k'], /a key that is the tenant's own/],
  [['--kms-key', 'alias/backup'], /must be the ARN of a KMS key/],
  [['--key-dir', '/nonexistent'], /is not a folder/],
  [['--key-dir', 'OPEN'], /can be written by everybody \(mode 777\)/],
  [['--key-dir', 'KEYS', '--waiting-days', '7'], /a key file is gone at once/],
])('bad input: %j', async (args, message) => {
  const open = join(work.folder, 'open');
  mkdirSync(open, { recursive: true });
  chmodSync(open, 0o777);
  const given = args.map((arg) => (arg === 'KEYS' ? keys : arg === 'OPEN' ? open : arg));
  const ran = await run([
    'erase',
    'acme',
    '--store',
    work.store,
    ...given,
    '--certificate',
    certificate('x'),
    '--confirm',
    'acme',
  ]);
  expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
});
