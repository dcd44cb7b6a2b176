import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import pg from 'pg';
import { ok, runCli } from '../support/cli';
import { usePostgres } from '../support/postgres';
import { openWithPublicTools } from '../support/public-tools';
import { seeded, seedOf, someOf } from '../support/random';
import { fingerprint, type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
let work: Workspace;
beforeAll(async () => {
  work = await workspace(server);
});
afterAll(() => work?.remove());

const quoted = pg.escapeIdentifier;

async function createTenant(name: string, rows = 200): Promise<void> {
  await server().query(`create database ${quoted(name)}`);
  await server().query('create table orders (id int primary key, note text)', [], name);
  await server().query(
    `insert into orders select n, md5(n::text) from generate_series(1, ${rows}) n`,
    [],
    name,
  );
}

const rowsOf = async (name: string) =>
  Number((await server().query('select count(*) from orders', [], name))[0]!.count);
const archiveFolder = (tenant: string) => {
  const folder = join(work.store, 'local', tenant);
  return join(folder, readdirSync(folder).sort().at(-1)!);
};
const databases = async () =>
  (await server().query<{ datname: string }>('select datname from pg_database')).map((row) => row.datname);

/** As hostile as PostgreSQL allows. Each run takes some of them. */
const NAMES = [
  `quo"te's`,
  'with space',
  'semi;colon',
  '--dash',
  '-d x',
  'UPPER',
  'upper',
  'ünïcödé 日本 🎉',
  'a=b',
  'postgres://x@y/z',
  '100%d %s $1',
  'sl/ash',
  'back\\slash',
  '..',
  '*',
  "'; drop database postgres; --",
  'é'.repeat(31),
  'x'.repeat(63),
];
const random = seeded(seedOf('names of tenants on PostgreSQL'));

describe('a tenant', () => {
  test('is dumped, listed, verified, restored and undone, and others stay untouched', async () => {
    await createTenant('acme');
    await createTenant('other');
    const before = await fingerprint(server(), 'acme');
    const others = await fingerprint(server(), 'other');

    const dumped = await work.dump('acme');
    expect(dumped).toMatchObject({ code: 0 });
    const archive = dumped.json<{ archive: string; at: string; bytes: number; tables: unknown }>();
    expect(archive.tables).toEqual([
      { schema: 'public', name: 'orders', rows: 200, checksum: expect.stringMatching(/^-?\d+$/) },
    ]);
    expect(archive.bytes).toBe(statSync(join(archiveFolder('acme'), 'data')).size);
    expect((await work.list(['acme'])).json()).toEqual([archive]);
    expect((await work.verify('acme')).json()).toEqual({ ok: true, archive: archive.archive, problems: [] });

    await server().query('drop table orders; create table wrong (x int)', [], 'acme');
    const damaged = await fingerprint(server(), 'acme');
    const restored = await work.restore('acme', ['--at', archive.at]);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.json()).toMatchObject({ tenant: 'acme', archive: archive.archive, at: archive.at });
    expect(await fingerprint(server(), 'acme')).toBe(before);

    expect(await work.undo('acme')).toMatchObject({ code: 0 });
    expect(await fingerprint(server(), 'acme')).toBe(damaged);
    expect(await work.undo('acme')).toMatchObject({ code: 0 });
    expect(await fingerprint(server(), 'acme')).toBe(before);
    expect(await fingerprint(server(), 'other')).toBe(others);
  });

  test('is restored as of a time: the newest archive at or before it', async () => {
    await createTenant('timed', 1);
    const first = (await work.dump('timed')).json<{ at: string; archive: string }>();
    await server().query("insert into orders values (2, 'later')", [], 'timed');
    const second = (await work.dump('timed')).json<{ at: string; archive: string }>();
    const between = new Date(Date.parse(second.at) - 1).toISOString();
    expect((await work.restore('timed', ['--at', between])).json()).toMatchObject({ archive: first.archive });
    expect(await rowsOf('timed')).toBe(1);
    expect((await work.restore('timed', ['--at', second.at])).json()).toMatchObject({
      archive: second.archive,
    });
    expect(await rowsOf('timed')).toBe(2);
    const early = await work.restore('timed', ['--at', '2001-01-01T00:00Z']);
    expect(early.code).toBe(2);
    expect(early.stderr).toMatch(/at or before 2001-01-01T00:00:00.000Z; the oldest is of/);
    expect((await work.restore('timed', ['--at', 'yesterday'])).code).toBe(2);
    expect((await work.list(['timed'])).json<{ archive: string }[]>().map((each) => each.archive)).toEqual([
      second.archive,
      first.archive,
    ]);
  });

  test('is restored although sessions are connected, and although its database is gone', async () => {
    await createTenant('busy');
    await server().query(
      `alter database busy set work_mem = '7MB'; alter database busy set search_path = "$user", 'public', x`,
    );
    await server().query(`comment on database busy is 'the busy one'`);
    await work.dump('busy');
    const idle = await server().connect('busy');
    await idle.query('begin; select * from orders');
    await server().query('alter database busy allow_connections false');
    const restored = await work.restore('busy');
    expect(restored).toMatchObject({ code: 0 });
    await idle.end().catch(() => {});
    const open = `select datallowconn as open from pg_database where datname = 'busy'`;
    expect(await server().query(open)).toEqual([{ open: false }]);
    const settings = `select setconfig, shobj_description(d.oid, 'pg_database') as comment from pg_database d
      join pg_db_role_setting s on s.setdatabase = d.oid where datname = 'busy'`;
    const expected = [
      { setconfig: ['work_mem=7MB', 'search_path="$user", public, x'], comment: 'the busy one' },
    ];
    expect(await server().query(settings)).toEqual(expected);
    await server().query('drop database busy with (force)');
    const again = await work.restore('busy');
    expect(again).toMatchObject({ code: 0 });
    expect(again.json<{ undo?: string }>().undo).toBeUndefined();
    expect(await rowsOf('busy')).toBe(200);
    expect(await server().query(settings)).toEqual(expected);
  });

  test.each(someOf(NAMES, 7, random))('may be named %s', async (name) => {
    await createTenant(name, 3);
    const bystanders = (await databases()).length;
    expect(await work.dump(name)).toMatchObject({ code: 0 });
    expect((await work.verify(name)).json()).toMatchObject({ ok: true });
    await server().query('delete from orders', [], name);
    expect(await work.restore(name)).toMatchObject({ code: 0 });
    expect(await rowsOf(name)).toBe(3);
    expect(await work.undo(name)).toMatchObject({ code: 0 });
    expect(await rowsOf(name)).toBe(0);
    // One more: the copy kept for undo.
    expect(await databases()).toHaveLength(bystanders + 1);
    const listed = (await work.list(['--', name])).json<{ tenant: string }[]>();
    expect(listed.map((each) => each.tenant)).toEqual([name]);
  });
});

test('tenants are listed by pattern, with their sizes, and without kept copies; nobody is an error', async () => {
  for (const name of ['t_one', 't_\u001b[31m', 'txtwo'])
    await server().query(`create database ${quoted(name)}`);
  await server().query(
    'create schema s_one; create table s_one.t (id int); create schema other',
    [],
    't_one',
  );
  // Whoever dumps nothing probably means another one.
  expect((await work.dump('txtwo')).stderr).toContain('txtwo has no tables: is it the right one?');
  await work.dump('t_one');
  expect(await work.restore('t_one')).toMatchObject({ code: 0 });
  const tenants = (...args: string[]) => runCli(['tenants', '--server', server().url, ...args]);
  const like = ['--like', 't\\_%'];
  expect((await tenants(...like, '--json')).json()).toEqual([
    { tenant: 't_\u001b[31m', database: 't_\u001b[31m', bytes: expect.any(Number) },
    { tenant: 't_one', database: 't_one', bytes: expect.any(Number) },
  ]);
  // A name does not steer the terminal.
  expect((await tenants(...like)).stdout).toMatch(/^"t_\\u001b\[31m" {2}[\d.]+ MB\nt_one {2}[\d.]+ MB\n$/);
  const [schema, ...none] = (await tenants('--database', 't_one', '--like', 's%', '--json')).json<object[]>();
  expect([schema, none]).toEqual([{ tenant: 's_one', database: 't_one', bytes: expect.any(Number) }, []]);
  expect(await tenants('--like', 'nobody%')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining("is like 'nobody%'; correct the pattern"),
  });
  expect(await tenants('--like', '%\\')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("the pattern '%\\' ends with a backslash"),
  });
});

describe('refused, with the live database untouched:', () => {
  const kept = async (run: () => Promise<unknown>) => {
    const before = await fingerprint(server(), 'safe');
    const names = await databases();
    await run();
    expect(await fingerprint(server(), 'safe')).toBe(before);
    expect(await databases()).toEqual(names);
  };
  beforeAll(async () => {
    await createTenant('safe');
    await createTenant('neighbour');
    await work.dump('safe');
    await work.dump('neighbour');
  });

  test('a wrong or missing name to confirm', () =>
    kept(async () => {
      for (const command of ['restore', 'undo'] as const) {
        const wrong = await work[command]('safe', ['--confirm', 'Safe']);
        expect(wrong).toMatchObject({ code: 2, stdout: '' });
        expect(wrong.stderr).toMatch(/--confirm is "Safe", and the tenant is "safe"/);
      }
      const url = ['--server', server().url];
      const silent = await runCli(['restore', 'safe', ...url, '--store', work.store, '--key-file', work.key]);
      expect(silent.code).toBe(2);
      expect(silent.stderr).toMatch(/no terminal/);
      expect((await runCli(['undo', 'safe', ...url])).code).toBe(2);
    }));

  test('an unknown tenant', () =>
    kept(async () => {
      const dumped = await work.dump('nobody');
      expect(dumped).toMatchObject({ code: 2, stdout: '' });
      expect(dumped.stderr).toMatch(/^sovereign-backup: there is no database "nobody"/m);
      expect((await work.list(['nobody'])).stderr).toMatch(
        /^no archives of tenant "nobody" under regime local in /,
      );
      for (const ran of [await work.restore('nobody'), await work.verify('nobody')]) {
        expect(ran.code).toBe(2);
        expect(ran.stderr).toMatch(/there is no archive of tenant "nobody"/);
      }
      expect((await work.undo('nobody')).code).toBe(2);
      expect(readdirSync(join(work.store, 'local'))).not.toContain('nobody');
    }));

  test('an unreachable server, a password in the URL, another engine, names that cannot be', () =>
    kept(async () => {
      const url = (text: string) => ['--server', text];
      const unreachable = await work.dump('safe', url('postgres://postgres@127.0.0.1:1'));
      expect(unreachable.code).toBe(3);
      expect(unreachable.stderr).toMatch(/cannot be reached: .*ECONNREFUSED/);
      const leaky = await work.dump('safe', url(`postgres://postgres:hunter2@127.0.0.1:${server().port}`));
      expect(leaky.code).toBe(2);
      expect(leaky.stderr).not.toContain('hunter2');
      expect((await work.dump('safe', url('oracle://x@y'))).stderr).toMatch(/known are postgres/);
      for (const [name, why] of [
        ['postgres', /name another with maintenance_database/],
        ['template1', /is a template of the server/],
      ] as const) {
        expect(await work.dump(name)).toMatchObject({ code: 0 });
        expect(await work.restore(name)).toMatchObject({ code: 2, stderr: expect.stringMatching(why) });
      }
      expect((await work.dump('new\nline')).code).toBe(2);
      expect(await work.dump('safe', ['--regime', '../eu'])).toMatchObject({ code: 2 });
      expect((await work.dump('safe', ['--database', 'x'.repeat(64)])).stderr).toMatch(/allows 63/);
    }));

  test('a pg_dump that is older than the server', () =>
    kept(async () => {
      const old = join(work.folder, 'old-clients');
      mkdirSync(old, { recursive: true });
      for (const tool of ['pg_dump', 'pg_restore'])
        writeFileSync(join(old, tool), `#!/bin/sh\necho "${tool} (PostgreSQL) 12.3"\n`, { mode: 0o755 });
      const env = { SOVEREIGN_BACKUP_PG_BIN: old };
      for (const ran of [await work.dump('safe', [], { env }), await work.restore('safe', [], { env })]) {
        expect(ran.code).toBe(2);
        expect(ran.stderr).toMatch(/pg_dump is older than needed: .* there is 12\.3 in/);
      }
    }));

  test('a database of the name that the side copy would have', () =>
    kept(async () => {
      const archive = archiveFolder('safe');
      const side = `safe__restore_${archive.slice(-8)}`;
      await createTenant(side);
      const ran = await work.restore('safe');
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/holds data, and is not from this tool/);
      expect(await rowsOf(side)).toBe(200);
      await server().query(`drop database ${side}`);
    }));

  test('roles that are missing; without owners and grants it goes', async () => {
    await server().query('create role vanishing');
    await createTenant('orphan');
    await server().query('alter table orders owner to vanishing', [], 'orphan');
    await work.dump('orphan');
    await server().query('drop database orphan');
    await server().query('drop role vanishing');
    const ran = await work.restore('orphan');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/roles that this server does not have: "vanishing".*--no-owner/);
    const without = await work.restore('orphan', ['--no-owner']);
    expect(without.code).toBe(0);
    expect(without.stderr).toMatch(/warning: restored without owners and grants/);
    expect(await rowsOf('orphan')).toBe(200);
  });

  test('another key', () =>
    kept(async () => {
      const other = join(work.folder, 'other-key');
      await runCli(['keygen', other]);
      // Not added to the right one, which `--key-file` twice would do.
      const only = ['--store', work.store, '--key-file', other];
      const ran = await runCli(['restore', 'safe', '--server', server().url, ...only, '--confirm', 'safe']);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/was written under key raw:[0-9a-f]+, and raw:[0-9a-f]+ was given/);
      // Which says nothing of the archive.
      expect(await runCli(['verify', 'safe', ...only, '--json'])).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringMatching(/was written under key/),
      });
    }));

  test('a role that may make no databases is told what it lacks', () =>
    kept(async () => {
      await server().query('create role reader login');
      const ran = await work.restore('safe', ['--server', `postgres://reader@127.0.0.1:${server().port}`]);
      expect([ran.code, ran.stderr]).toEqual([
        3,
        expect.stringMatching(
          /permission denied.*live database was not touched; restore as a role with CREATEDB/,
        ),
      ]);
    }));

  describe('an archive that', () => {
    const spoil = (how: (folder: string) => void) => async () => {
      const folder = archiveFolder('safe');
      const copy = `${folder}.kept`;
      cpSync(folder, copy, { recursive: true });
      try {
        how(folder);
        await kept(async () => {
          const verified = await work.verify('safe');
          expect(verified.code).toBe(1);
          expect(verified.json<{ ok: boolean }>().ok).toBe(false);
          const restored = await work.restore('safe');
          expect([2, 3]).toContain(restored.code);
          expect(restored.stdout).toBe('');
          expect(restored.stderr).not.toMatch(/unexpected|node:internal|\n {4}at /);
        });
      } finally {
        rmSync(folder, { recursive: true });
        cpSync(copy, folder, { recursive: true });
        rmSync(copy, { recursive: true });
      }
    };
    const flip = (file: string, share: number) => (folder: string) => {
      const bytes = readFileSync(join(folder, file));
      bytes[Math.floor(bytes.length * share)]! ^= 4;
      writeFileSync(join(folder, file), bytes);
    };
    const cut = (file: string, share: number) => (folder: string) => {
      const bytes = readFileSync(join(folder, file));
      writeFileSync(join(folder, file), bytes.subarray(0, Math.floor(bytes.length * share)));
    };
    const neighbours = (file: string) => (folder: string) =>
      copyFileSync(join(archiveFolder('neighbour'), file), join(folder, file));
    const older =
      (...files: string[]) =>
      async () => {
        // Without a newer archive this would spoil the only one.
        expect(await work.dump('safe')).toMatchObject({ code: 0 });
        const [first] = readdirSync(join(work.store, 'local/safe')).sort();
        await spoil((folder) => {
          for (const file of files)
            copyFileSync(join(work.store, 'local/safe', first!, file), join(folder, file));
        })();
        rmSync(archiveFolder('safe'), { recursive: true });
      };

    for (const file of ['data', 'manifest.json', 'manifest.seal']) {
      for (const share of [0, 0.3, 0.99])
        test(`has a flipped bit in ${file} at ${share}`, spoil(flip(file, share)));
      for (const share of [0, 0.5, 0.999]) test(`is cut in ${file} at ${share}`, spoil(cut(file, share)));
      test(`has a neighbour's ${file}`, spoil(neighbours(file)));
      test(`has the ${file} of an older one`, older(file));
    }
    test('has manifest and seal of an older one', older('manifest.json', 'manifest.seal'));
    test(
      'lacks its data',
      spoil((folder) => rmSync(join(folder, 'data'))),
    );
    test(
      'lacks its seal',
      spoil((folder) => rmSync(join(folder, 'manifest.seal'))),
    );
    test(
      "is the neighbour's, whole",
      spoil((folder) => cpSync(archiveFolder('neighbour'), folder, { recursive: true })),
    );
    test('lacks its manifest', async () => {
      const manifest = join(archiveFolder('safe'), 'manifest.json');
      const bytes = readFileSync(manifest);
      rmSync(manifest);
      const verified = await work.verify('safe');
      expect(verified).toMatchObject({ code: 1 });
      expect(verified.json()).toMatchObject({
        ok: false,
        problems: expect.arrayContaining(['manifest.json is missing']),
      });
      expect((await work.restore('safe')).code).toBe(2);
      writeFileSync(manifest, bytes);
    });
    test('has a file too many', async () => {
      const extra = join(archiveFolder('safe'), 'extra');
      writeFileSync(extra, 'x');
      expect((await work.verify('safe')).json()).toMatchObject({
        ok: false,
        problems: ['extra does not belong to the archive'],
      });
      rmSync(extra);
    });
  });
});

test.each([
  ['of one session', []],
  ['of several sessions', ['--jobs', '2']],
])('an archive %s is opened with public tools alone', async (_, args) => {
  const tenant = `public${args.length}`;
  await createTenant(tenant);
  await work.dump(tenant, args);
  const folder = archiveFolder(tenant);
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
  const schema = readFileSync(join(__dirname, '../../schema/manifest.schema.json'), 'utf8');
  const validate = new Ajv().compile(JSON.parse(schema));
  expect(validate(manifest) ? [] : validate.errors).toEqual([]);
  const dump = openWithPublicTools(folder, work.key, work.folder);
  const restored = (options: string[], input?: Buffer) =>
    execFileSync(join(server().bin, 'pg_restore'), [...options, '-f', '-'], {
      ...(input ? { input } : {}),
      encoding: 'utf8',
    });
  if (args.length === 0) {
    expect(restored([], dump)).toContain('CREATE TABLE public.orders');
    return;
  }
  expect(manifest.dump.format).toBe('pg_dump directory tar');
  const unpacked = join(work.folder, 'unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-x', '-C', unpacked], { input: dump });
  const sql = restored(['-Fd', unpacked]);
  expect(sql).toContain('CREATE TABLE public.orders');
  expect(sql.match(/^\d+\t[0-9a-f]{32}$/gm)).toHaveLength(200);
});

test("another tenant's database that claims to be a kept copy is not put in the place of the live one", async () => {
  await createTenant('mallory', 1);
  const claim = {
    tool: 'sovereign-backup',
    kind: 'undo',
    tenant: 'victim',
    database: 'victim',
    at: '9999-01-01T00:00:00Z',
  };
  await server().query(`comment on database mallory is ${pg.escapeLiteral(JSON.stringify(claim))}`);
  await createTenant('victim', 7);
  const answer = await work.undo('victim');
  expect(answer.code).toBe(2);
  expect(answer.stderr).toContain('no kept copy');
  expect(await rowsOf('victim')).toBe(7);
  expect(await databases()).toContain('mallory');
});

test("another tenant's database is not put back for a stranger, and who names it for a restore is told which it replaces", async () => {
  await createTenant('adjacent', 3);
  await createTenant('lodger', 7);
  ok(await work.dump('lodger'));
  const restored = await work.restore('lodger', ['--database', 'adjacent']);
  ok(restored);
  expect(restored.stderr).toContain(
    'warning: the archive is of database "lodger", and what it replaces is database "adjacent"',
  );
  const stranger = await work.undo('mallory', ['--database', 'adjacent']);
  expect(stranger).toMatchObject({ code: 2 });
  expect(stranger.stderr).toContain('is of tenant "lodger", and "mallory" was asked for');
  expect(await rowsOf('adjacent')).toBe(7);
  // Its own tenant undoes what was done to it by mistake.
  ok(await work.undo('adjacent'));
  expect(await rowsOf('adjacent')).toBe(3);
});
