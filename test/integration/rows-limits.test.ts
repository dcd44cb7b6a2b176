// `--statement-timeout` for rows of shared tables: what it strikes leaves nothing behind.
import { ok, runCli } from '../support/cli';
import { databases } from '../support/mariadb-tenants';
import { described, useShared } from '../support/shared-engines';
import type { Workspace } from '../support/tenants';

const shared = useShared();
const { onPostgres, onMariadb } = shared;

// What one row of a restore takes is slowed down where the live rows are written, so the transaction is under way.
const engines = {
  postgresql: {
    ...shared.postgresql,
    // More than the buffers of a connection can take, so that the server has to wait for us.
    large: `insert into events select 3, '2026-02-01'::timestamptz + make_interval(secs => n), repeat(md5(n::text), 200)
            from generate_series(1, 20000) n`,
    slow: `create function slow(int) returns bool language plpgsql as $f$ begin perform pg_sleep(0.6); return true; end $f$;
           alter table members add constraint slow check (slow(id)) not valid`,
    quick: 'alter table members drop constraint slow; drop function slow(int)',
    kept: async () =>
      (
        await onPostgres().query(
          `select nspname as name from pg_namespace where nspname like 'rows of%'`,
          [],
          'app',
        )
      ).map(({ name }) => name),
  },
  mariadb: {
    ...shared.mariadb,
    large: `alter table events modify what varchar(8000);
            insert into events with recursive n as (select 0 as i union all select i + 1 from n where i < 199)
              select 3, '2026-02-01' + interval a.i + 200 * b.i second, repeat(sha2(a.i + 200 * b.i, 256), 100) from n a, n b where b.i < 100`,
    slow: 'create trigger slow before insert on members for each row do sleep(0.6)',
    quick: 'drop trigger slow',
    kept: async () => (await databases(onMariadb())).filter((name) => name.startsWith('rows_of_')),
  },
};

describe.each(['postgresql', 'mariadb'] as const)('%s', (name) => {
  const { server, run, rowsOf, kept, large, slow, quick, ...engine } = engines[name];
  let work: Workspace;
  let file: string;
  beforeAll(async () => {
    work = await engine.workspace();
    await engine.create();
    const accepting = (text: string) =>
      text.replace('  - table: members\n', '  - table: members\n    triggersRun: true\n');
    file = await described(work, server(), { change: accepting });
    ok(await work.dump('3', rows()));
  });
  afterAll(() => work?.remove());
  const rows = (...args: string[]) => ['--database', 'app', '--tenancy-file', file, ...args];

  test('of a restore, in the middle of its transaction: the rows are as they were', async () => {
    // MySQL limits what only reads.
    if (name === 'mariadb' && !onMariadb().isMariadb) return;
    await run(
      `delete from events where tenant_id = 3; update users set email = 'now' where tenant_id = 3;
        update members set name = 'now' where group_id = 30; ${slow}`,
    );
    const before = await rowsOf();
    const struck = await work.restore('3', rows('--statement-timeout', '1'));
    expect(struck).toMatchObject({ code: 3, stdout: '' });
    expect(struck.stderr).toMatch(
      /a statement of the restore took longer than the 1 s of --statement-timeout and was cancelled; nothing was changed/,
    );
    expect(await rowsOf()).toEqual(before);
    expect(await kept()).toEqual([]);
    ok(await work.restore('3', rows('--statement-timeout', '60')));
    expect(await rowsOf()).not.toEqual(before);
    expect(await kept()).toHaveLength(1);
    await run(quick);
  });

  test('of a dump: there is no archive', async () => {
    await run(large);
    const archives = (await work.list()).json<unknown[]>();
    // The server waits for us, and we for the limit of the rate.
    const struck = await work.dump(
      '3',
      rows('--statement-timeout', '1', '--limit-rate', '100k', '--level', '1'),
    );
    expect(struck).toMatchObject({ code: 3, stdout: '' });
    expect(struck.stderr).toMatch(/reading \S*events took longer than the 1 s of --statement-timeout/);
    expect((await work.list()).json()).toEqual(archives);
    expect(await work.dump('3', rows('--statement-timeout', '31536000'))).toMatchObject({ code: 0 });
  });

  test('only where there is one', async () => {
    const args = ['--statement-timeout', '5', '--to-file', `${work.folder}/out`];
    const on = ['--store', work.store, '--key-file', work.key];
    expect(await runCli(['restore', '3', ...on, ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('leave out --server, --database and --statement-timeout'),
    });
    await run('create database whole');
    ok(await work.dump('whole'));
    expect(await work.restore('whole', ['--statement-timeout', '5'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'with tenancy "database" cannot have a limit on the time of statements',
      ),
    });
  });
});
