import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import type { Engine } from '../../lambda/engine/engine';
import { type Archive, changeAtRandom, code, objectsOf, verified } from '../faults/changed-archives';
import { bundled } from '../support/bundled';
import { useMariadb } from '../support/mariadb';
import {
  checksums,
  content,
  createTenant,
  databases,
  mariadbWorkspace,
  quoted,
  quotedText,
  rowsOf,
  runCli,
} from '../support/mariadb-tenants';
import { openWithPublicTools } from '../support/public-tools';
import { seeded, seedOf } from '../support/random';
import type { Workspace } from '../support/tenants';

const server = useMariadb();
let work: Workspace;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
});
afterAll(() => work?.remove());

const archiveFolder = (tenant: string) => {
  const folder = join(work.store, 'local', tenant);
  return join(folder, readdirSync(folder).sort().at(-1)!);
};

describe('a tenant', () => {
  test('is dumped, listed, verified, restored and undone, and others stay untouched', async () => {
    await createTenant(server(), 'acme');
    await createTenant(server(), 'other');
    const before = content(server(), 'acme');
    const others = await checksums(server(), 'other');

    const dumped = await work.dump('acme');
    expect(dumped).toMatchObject({ code: 0 });
    const archive = dumped.json<{ archive: string; at: string; tables: unknown }>();
    expect(archive.tables).toEqual([
      { schema: 'acme', name: 'orders', rows: 200, checksum: expect.stringMatching(/^\d+$/) },
    ]);
    expect((await work.list(['acme'])).json()).toEqual([archive]);
    expect((await work.verify('acme')).json()).toEqual({ ok: true, archive: archive.archive, problems: [] });
    const manifest = JSON.parse(readFileSync(join(archiveFolder('acme'), 'manifest.json'), 'utf8'));
    const schema = readFileSync(join(__dirname, '../../schema/manifest.schema.json'), 'utf8');
    const validate = new Ajv().compile(JSON.parse(schema));
    expect(validate(manifest) ? [] : validate.errors).toEqual([]);
    expect(manifest.engine.snapshot).toMatch(/^one moment for dump and count/);

    await server().query('drop table acme.orders; create table acme.wrong (x int)');
    const damaged = content(server(), 'acme');
    const restored = await work.restore('acme', ['--at', archive.at]);
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.json()).toMatchObject({ tenant: 'acme', archive: archive.archive, warnings: [] });
    expect(content(server(), 'acme')).toBe(before);
    const stranger = await work.undo('mallory', ['--database', 'acme']);
    expect([stranger.code, stranger.stderr]).toEqual([2, expect.stringContaining('is of tenant "acme"')]);
    expect(await work.undo('acme')).toMatchObject({ code: 0 });
    expect(content(server(), 'acme')).toBe(damaged);
    expect(await work.undo('acme')).toMatchObject({ code: 0 });
    expect(content(server(), 'acme')).toBe(before);
    expect(await checksums(server(), 'other')).toEqual(others);
    expect((await databases(server())).filter((name) => name.includes('__restore_'))).toEqual([]);
  });

  test('is restored although its database is gone, with its character set', async () => {
    await createTenant(server(), 'gone');
    await server().query('alter database gone character set latin2 collate latin2_general_ci');
    // Neither a temporary folder that may be written to is needed, nor what makes the tool write more at once.
    const tools =
      server().bin ?? dirname(execFileSync('which', ['mariadb-dump'], { encoding: 'utf8' }).trim());
    const env = { TMPDIR: '/proc', PATH: '/nowhere', SOVEREIGN_BACKUP_MYSQL_BIN: tools };
    expect(await work.dump('gone', [], { env })).toMatchObject({ code: 0 });
    await server().query('drop database gone');
    const restored = await work.restore('gone');
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.json<{ undo?: string }>().undo).toBeUndefined();
    expect(await rowsOf(server(), 'gone')).toBe(200);
    const [row] = await server().query(
      `select default_collation_name as c from information_schema.schemata where schema_name = 'gone'`,
    );
    expect(row).toEqual({ c: 'latin2_general_ci' });
    expect((await databases(server())).filter((name) => name.startsWith('gone__'))).toEqual([]);
  });

  test.each([
    'ba`ck"ti\'ck',
    '-d ünïcödé; 日本',
    'UPPER',
    'upper',
    '100%d %s $1',
    'under_score',
    'sl/ash.dot\\back*',
    '`; drop database mysql; -- x',
    'x'.repeat(64),
  ])('may be named %s', async (name) => {
    await createTenant(server(), name, 3);
    const bystanders = (await databases(server())).length;
    expect(await work.dump(name)).toMatchObject({ code: 0 });
    await server().query(`delete from ${quoted(name)}.orders`);
    expect(await work.restore(name)).toMatchObject({ code: 0 });
    expect(await rowsOf(server(), name)).toBe(3);
    expect(await work.undo(name)).toMatchObject({ code: 0 });
    expect(await rowsOf(server(), name)).toBe(0);
    // One more: the copy kept for undo.
    expect(await databases(server())).toHaveLength(bystanders + 1);
  });
});

test('an archive is opened and restored with public tools alone', async () => {
  await createTenant(server(), 'public');
  await server().query(
    `use public; create view seen as select id from orders where id < 10;
     insert into orders values (9999, 'new')`,
  );
  // By itself: among several statements MySQL keeps its semicolon, and its own tool writes a dump that cannot be loaded.
  await server().query(
    'create trigger shout before insert on orders for each row set new.note = upper(new.note)',
    'public',
  );
  await server().query('create procedure hello() select 1', 'public');
  expect(await work.dump('public')).toMatchObject({ code: 0 });
  const dump = openWithPublicTools(archiveFolder('public'), work.key, work.folder);
  await server().query('create database again');
  const { bin, isMariadb, port } = server();
  const client = isMariadb ? 'mariadb' : 'mysql';
  const where = ['--no-defaults', '--protocol=tcp', '--host=127.0.0.1', `--port=${port}`, '--user=root'];
  execFileSync(bin ? join(bin, client) : client, [...where, '--binary-mode', 'again'], {
    input: dump,
    env: { ...process.env, MYSQL_PWD: server().password ?? '' },
  });
  const bare = (database: string) =>
    content(server(), database).replaceAll(` for database '${database}'`, '');
  expect(bare('again')).toBe(bare('public'));
});

describe('refused, with the live database untouched:', () => {
  const kept = async (run: () => Promise<unknown>) => {
    const before = content(server(), 'safe');
    const names = await databases(server());
    await run();
    expect(content(server(), 'safe')).toBe(before);
    expect(await databases(server())).toEqual(names);
  };
  beforeAll(async () => {
    await createTenant(server(), 'safe');
    await createTenant(server(), 'neighbour');
    await work.dump('safe');
    await work.dump('neighbour');
  });

  test('an unknown tenant, an unreachable server, a password in the URL, an option, a name that cannot be', () =>
    kept(async () => {
      const dumped = await work.dump('nobody');
      expect(dumped).toMatchObject({ code: 2, stdout: '' });
      expect(dumped.stderr).toMatch(/^sovereign-backup: there is no database "nobody"/m);
      expect((await work.undo('nobody')).stderr).toMatch(/no kept copy/);
      const url = (text: string) => ['--server', text];
      const unreachable = await work.dump('safe', url('mysql://root@127.0.0.1:1'));
      expect(unreachable.code).toBe(3);
      expect(unreachable.stderr).toMatch(/cannot be reached: .*ECONNREFUSED/);
      const leaky = await work.dump('safe', url(`mysql://root:hunter2@127.0.0.1:${server().port}`));
      expect(leaky.code).toBe(2);
      expect(leaky.stderr).not.toContain('hunter2');
      const option = await work.dump('safe', url(`mysql://root@127.0.0.1:${server().port}?ssl=1`));
      expect(option.stderr).toMatch(/option "ssl"; known are sslmode/);
      const tls = (mode: string, host: string) =>
        work.dump('safe', url(`mysql://root@${host}:${server().port}?sslmode=${mode}`));
      const address = await tls('verify-full', '127.0.0.1');
      expect(address).toMatchObject({ code: 2, stdout: '' });
      expect(address.stderr).toMatch(/against its name, and the URL has the address 127\.0\.0\.1/);
      // The server has no certificate, or one that nobody signed.
      for (const mode of ['verify-full', 'verify-ca']) {
        const unproven = await tls(mode, 'localhost');
        expect(unproven).toMatchObject({ code: 2, stdout: '' });
        expect(unproven.stderr).toMatch(/offers no encryption|did not prove that it is the one/);
      }
      for (const [name, says] of [
        ['mysql', /server's own database/],
        ['x'.repeat(65), /too long/],
        ['🎉', /beyond U\+FFFF/],
      ] as const)
        expect((await work.dump('safe', ['--database', name])).stderr).toMatch(says);
    }));

  test('client tools that are missing, older than the server, or of the other kind', () =>
    kept(async () => {
      const folder = join(work.folder, 'clients');
      mkdirSync(folder, { recursive: true });
      const env = { SOVEREIGN_BACKUP_MYSQL_BIN: folder };
      const none = await work.dump('safe', [], { env });
      expect(none.code).toBe(2);
      expect(none.stderr).toMatch(/was not found, and the server at .* is version \d+/);
      const fake = (says: string) => {
        for (const tool of ['mariadb-dump', 'mariadb', 'mysqldump', 'mysql'])
          writeFileSync(join(folder, tool), `#!/bin/sh\necho "${tool} ${says}"\n`, { mode: 0o755 });
      };
      const own = server().isMariadb;
      fake(own ? 'Ver 10.19 Distrib 10.5.1-MariaDB' : 'Ver 5.7.1 for Linux');
      for (const ran of [await work.dump('safe', [], { env }), await work.restore('safe', [], { env })]) {
        expect(ran.code).toBe(2);
        expect(ran.stderr).toMatch(/is older than needed: .* there is (10\.5\.1|5\.7\.1) in/);
      }
      fake(own ? 'Ver 8.4.1 for Linux' : 'Ver 10.19 Distrib 12.1.1-MariaDB');
      const other = await work.dump('safe', [], { env });
      expect(other.code).toBe(2);
      expect(other.stderr).toMatch(/do not stand in for each other/);
    }));

  test('a database of the name that the side copy would have; a foreign key from elsewhere', () =>
    kept(async () => {
      const side = `safe__restore_${archiveFolder('safe').slice(-8)}`;
      await createTenant(server(), side);
      const ran = await work.restore('safe');
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/holds data, and is not from this tool/);
      expect(await rowsOf(server(), side)).toBe(200);
      await server().query(`drop database ${side}`);
      await server().query(
        'create table neighbour.child (id int, foreign key (id) references safe.orders(id)) engine=InnoDB',
      );
      const tied = await work.restore('safe');
      expect(tied.code).toBe(3);
      expect(tied.stderr).toMatch(/foreign keys to this one: neighbour\.child/);
      // Before anything is loaded; a rehearsal is not kept from being made.
      expect(tied.stderr).not.toMatch(/restoring into/);
      const rehearsal = ['--server', server().url, '--store', work.store, '--key-file', work.key];
      expect(await runCli(['restore', 'safe', '--verify-only', ...rehearsal])).toMatchObject({ code: 0 });
      await server().query('drop table neighbour.child');
    }));

  test('a Node without zstd is told before anything is made on the server', () =>
    kept(async () => {
      const old =
        'import z from "node:zlib"; delete z.createZstdCompress; import("node:module").then((m) => m.syncBuiltinESMExports());';
      const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(old)}` };
      const ran = await work.restore('safe', [], { env });
      expect([ran.code, ran.stderr]).toEqual([
        2,
        expect.stringMatching(/no zstd; use Node 22\.15 or newer$/m),
      ]);
      expect(ran.stderr).not.toContain('restoring into');
    }));

  test('a session that keeps a transaction open on its tables: the swap gives up, and says who it is', () =>
    kept(async () => {
      const holder = await server().connect('safe');
      await holder.query('start transaction; select count(*) from orders');
      const restored = await work.restore('safe');
      await holder.end();
      expect(restored).toMatchObject({ code: 3, stdout: '' });
      expect(restored.stderr).toMatch(/transaction open on its tables; connected to it: root@localhost/);
    }));

  test('an archive of another engine', () =>
    kept(async () => {
      const ran = await work.restore('safe', ['--server', 'postgres://root@127.0.0.1:1']);
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/is of mariadb, and the server URL says postgresql/);
    }));

  test("an archive with a flipped bit, or with a neighbour's data", async () => {
    const folder = archiveFolder('safe');
    const data = readFileSync(join(folder, 'data'));
    const flipped = Buffer.from(data);
    flipped[Math.floor(data.length * 0.3)]! ^= 4;
    for (const bytes of [flipped, readFileSync(join(archiveFolder('neighbour'), 'data'))]) {
      writeFileSync(join(folder, 'data'), bytes);
      await kept(async () => {
        expect((await work.verify('safe')).json<{ ok: boolean }>().ok).toBe(false);
        const restored = await work.restore('safe');
        expect([2, 3]).toContain(restored.code);
        expect(restored.stdout).toBe('');
        expect(restored.stderr).not.toMatch(/unexpected|node:internal|\n {4}at /);
      });
    }
    writeFileSync(join(folder, 'data'), data);
  });
});

test('an archive that is changed anywhere is found out: a bit of every byte of its data, every third cut, and at random', async () => {
  const archives = new Map<string, Archive>();
  for (const [tenant, rows] of [
    ['tiny', 3],
    ['tinier', 1],
  ] as const) {
    await createTenant(server(), tenant, rows);
    expect(await work.dump(tenant)).toMatchObject({ code: 0 });
    const prefix = `local/${tenant}/${basename(archiveFolder(tenant))}`;
    archives.set(tenant, { tenant, objects: objectsOf(work.store, prefix) });
  }
  const key = await code.readKeyFile(work.key);
  const { objects } = archives.get('tiny')!;
  expect(await verified('tiny', objects, key)).toMatchObject({ ok: true, problems: [] });
  const random = seeded(seedOf('changed archives of MariaDB'));
  const undetected: string[] = [];
  for (const [name, bytes] of objects) {
    const step = name.endsWith('/data') ? 1 : 11;
    for (let at = 0; at < bytes.length; at += step) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << Math.floor(random() * 8);
      for (const changed of at % 3 === 0 ? [flipped, bytes.subarray(0, at)] : [flipped]) {
        const { ok } = await verified('tiny', new Map([...objects, [name, changed]]), key);
        if (ok) undetected.push(`${name}: ${changed.length === at ? 'cut' : 'flipped'} at ${at}`);
      }
    }
  }
  expect(undetected).toEqual([]);
  const { kinds, ...faults } = await changeAtRandom({ archives, key, mutations: 400, random });
  expect(faults).toEqual({ undetected: [], unclear: [] });
  expect(kinds.size).toBeGreaterThan(40);
}, 120_000);

test("another tenant's database that claims to be a kept copy is not put in the place of the live one", async () => {
  await createTenant(server(), 'victim', 7);
  await createTenant(server(), 'mallory', 1);
  const claim = {
    tool: 'sovereign-backup',
    kind: 'undo',
    tenant: 'victim',
    database: 'victim',
    at: '9999-01-01',
  };
  await server().query(
    `create table mallory.__sovereign_backup (id int primary key, note longtext); insert into mallory.__sovereign_backup values (1, ${quotedText(JSON.stringify(claim))})`,
  );
  const answer = await work.undo('victim');
  expect(answer.code).toBe(2);
  expect(answer.stderr).toContain('no kept copy');
  expect(await rowsOf(server(), 'victim')).toBe(7);
  expect(await databases(server())).toContain('mallory');
});

test('no password reaches an argument list, and a changed table during the dump leaves no archive', async () => {
  await createTenant(server(), 'altered', 100_000);
  let altered: Promise<unknown> | undefined;
  const ran = await work.dump('altered', [], {
    started: (child) =>
      child.stderr?.once('data', () => {
        altered = server().query('create table altered.late (x int)');
      }),
  });
  await altered;
  expect(ran).toMatchObject({ code: 3, stdout: '' });
  expect(ran.stderr).toMatch(/was changed in it: table late; no archive was kept/);
  expect((await runCli(['list', 'altered', '--store', work.store, '--json'])).json()).toEqual([]);
});

test('sizes: of those that are there, all in one question', async () => {
  const { mariadb } = bundled<{ mariadb: Engine }>('lambda/engine/mariadb.ts');
  await createTenant(server(), 'sized');
  const at = { scheme: 'mysql', host: '127.0.0.1', port: server().port, user: 'root', options: {} };
  const names = ['sized', ...Array.from({ length: 1500 }, (_, i) => `was_never_there_${i}`)];
  const sizes = await mariadb.sizes!({ server: at, of: { databases: names } });
  expect([...sizes]).toEqual([['sized', expect.any(Number)]]);
  expect(sizes.get('sized')).toBeGreaterThanOrEqual(16_384);
});
