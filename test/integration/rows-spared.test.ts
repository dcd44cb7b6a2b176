// A restore of rows of shared tables writes what differs and spares the rest, whatever became of the tenant's rows.
import { ok } from '../support/cli';
import * as mariadb from '../support/mariadb-shared';
import { quoted } from '../support/mariadb-tenants';
import { amount, seeded, seedOf, someOf } from '../support/random';
import { described, useShared } from '../support/shared-engines';
import type { Workspace } from '../support/tenants';

const shared = useShared();
const { onMariadb } = shared;

const engines = {
  postgresql: {
    ...shared.postgresql,
    lines: '"Order lines; drop table x"',
    groups: 'groups',
    more: `alter table logins add ratio float8 default '-0', add amount numeric default 1.00, add given int generated always as identity`,
    subtle: `update logins set ratio = 0, amount = 1.0 where id = 31`,
  },
  mariadb: {
    ...shared.mariadb,
    lines: quoted(mariadb.HARD_NAME),
    groups: quoted('groups'),
    // More columns than a number has bits, and one that the server sets where an update does not.
    more: `alter table logins add ratio double default -0e0, add rough float default 0.1, add word varchar(9) default 'Word',
      add touched timestamp default '2026-01-01' on update current_timestamp,
      ${Array.from({ length: 70 }, (_, at) => `add c${at} int default 0`).join(', ')}`,
    subtle: `update logins set ratio = 0, rough = 0.10000001, word = 'word ', touched = touched, c0 = 1, c69 = 1 where id = 31`,
  },
};

describe.each(['postgresql', 'mariadb'] as const)('%s', (name) => {
  const { server, run, rowsOf, lines, groups, more, subtle, ...engine } = engines[name];
  let work: Workspace;
  let file: string;
  let before: Record<string, string[]>;
  beforeAll(async () => {
    work = await engine.workspace();
    await engine.create();
    await run(`
      create table logins (id int primary key, tenant_id bigint not null, name varchar(20) not null unique);
      create index logins_tenant on logins (tenant_id); ${more};
      insert into logins (id, tenant_id, name) values (31, 3, 'a'), (32, 3, 'b'), (33, 3, 'c'), (21, 2, 'd');
      create table tags (tenant_id bigint not null, tag varchar(9)); create index tags_tenant on tags (tenant_id);
      create table marks (tenant_id bigint not null, mark varchar(9)); create index marks_tenant on marks (tenant_id);
      insert into tags values (2, 'a'), (3, 'a'), (3, 'a'); insert into marks values (2, 'a')`);
    file = await described(work, server());
    before = await rowsOf();
    ok(await work.dump('3', rows()));
  });
  afterAll(() => work?.remove());
  const rows = () => ['--database', 'app', '--tenancy-file', file];

  /** Does it to the tenant, restores, and tells what the restore said; all rows are as they were. */
  async function restored(damage: string): Promise<string> {
    await run(damage);
    const { stderr } = ok(await work.restore('3', rows()));
    expect(await rowsOf()).toEqual(before);
    return stderr;
  }
  const ALL = "replacing all of the tenant's rows";

  test('what is the archive’s already stays as it is', async () => {
    expect(await restored('select 1')).toMatch(/ 0 come back, 0 change and 0 go; 79 stay as they are\n$/m);
    const [marked] =
      name === 'postgresql' ? await run('select xmin::text from orders where tenant_id = 3') : [];
    const said = await restored(`
      delete from events where tenant_id = 3 and what in ('e1', 'e2', 'e3'); insert into events values (3, '2026-07-01', 'new');
      update users set email = 'x' where tenant_id = 3; update logins set name = 'z' where id = 32`);
    expect(said).toMatch(/ 3 come back, 5 change and 1 go; 71 stay as they are/);
    // MySQL counts rows of its own among those that are inserted, so it is not believed, and all are replaced.
    if (name === 'postgresql' || onMariadb().isMariadb) expect(said).not.toContain(ALL);
    if (marked) expect((await run('select xmin::text from orders where tenant_id = 3'))[0]).toEqual(marked);
  });

  test('values differ that are equal to the server', async () => {
    const said = await restored(subtle);
    expect(said).toMatch(/ 0 come back, 1 change and 0 go/);
    expect(said).not.toContain(ALL);
  });

  test('all rows of a table are gone, or all it has are new, and it may have no key', async () => {
    const keyed = await restored('delete from logins where tenant_id = 3');
    expect(keyed).toMatch(/ 3 come back, 0 change and 0 go; 76 stay as they are/);
    const keyless = await restored(
      `delete from logins where tenant_id = 3; delete from tags where tenant_id = 3; insert into marks values (3, 'new')`,
    );
    // PostgreSQL looks at rows by their keys while they are written.
    if (name === 'postgresql') expect(keyless).toContain(ALL);
    else expect(keyless).toMatch(/ 5 come back, 0 change and 1 go; 74 stay as they are/);
    // Nothing is believed of MySQL's count, as above.
    const spared = name === 'postgresql' ? keyed : keyed + keyless;
    if (name === 'postgresql' || onMariadb().isMariadb) expect(spared).not.toContain(ALL);
  });

  test.each([
    [
      'unique values have changed hands',
      `update logins set name = 'x' where id = 31; update logins set name = 'a' where id = 32; update logins set name = 'b' where id = 31`,
    ],
    [
      'a row hangs on one that has to go',
      `insert into users (tenant_id, email) values (3, 'new');
       update users set manager_id = (select last from (select max(id) as last from users where tenant_id = 3) m) where tenant_id = 3`,
    ],
    [
      'all is gone, circles too',
      `update ${groups} set head_member = null where tenant_id = 3; delete from members where group_id = 30;
       delete from ${groups} where tenant_id = 3; delete from logins where tenant_id = 3; delete from events where tenant_id = 3;
       delete from orders where tenant_id = 3; update tenants set owner_id = null where id = 3;
       update users set manager_id = null where tenant_id = 3; delete from users where tenant_id = 3; delete from tenants where id = 3`,
    ],
    ...(name === 'postgresql'
      ? [['a column cannot be updated', 'update logins set given = default where id = 31']]
      : []),
  ])('all rows are replaced where %s', async (...[, damage]: string[]) => {
    expect(await restored(damage!)).toContain(ALL);
  });

  test('whatever was done to the tenant', async () => {
    const damages = [
      `delete from events where tenant_id = 3 and at > '2026-01-01'`,
      `update events set what = 'other' where tenant_id = 3 and what > 'e3'`,
      `insert into orders (tenant_id, day) values (3, '2026-06-01')`,
      `update orders set user_id = (select max(id) from users where tenant_id = 3) where tenant_id = 3`,
      `insert into users (tenant_id, email) values (3, 'late')`,
      `update users set note = null, manager_id = null where tenant_id = 3`,
      `delete from ${lines} where order_tenant = 3 and line = 2`,
      `update ${lines} set what = 'what' where order_tenant = 3 and line > 2`,
      `delete from orders where tenant_id = 3 and day > '2026-01-04'`,
      `update ${groups} set head_member = 302 where tenant_id = 3`,
      `delete from members where id = 303`,
      `insert into members values (399, 30, 'late')`,
      `delete from logins where id = 31; insert into logins (id, tenant_id, name) values (39, 3, 'a')`,
      `update tenants set name = 'other' where id = 3`,
      `delete from logins where tenant_id = 3`,
    ];
    const random = seeded(seedOf(`rows of ${name}`));
    for (let round = 0; round < amount('TEST_DAMAGES', 4); round += 1)
      await restored(someOf(damages, 1 + Math.floor(random() * 6), random).join('; '));
  });
});
