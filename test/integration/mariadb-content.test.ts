// What is in a database comes back as it was, for a user who may do everything and for one of a managed service.
import { useMariadb } from '../support/mariadb';
import { content, databases, mariadbWorkspace, quoted, rowsOf } from '../support/mariadb-tenants';
import type { Workspace } from '../support/tenants';

const server = useMariadb({
  settings: { 'event-scheduler': 'ON', 'log-bin-trust-function-creators': 'ON' },
});
let work: Workspace;
beforeAll(async () => {
  work = await mariadbWorkspace(server);
});
afterAll(() => work?.remove());

const COMMON = `
  set sql_mode = '';
  create table everything (
    id int auto_increment primary key, bytes longblob, doc json, place geometry, day date, at timestamp(6) null,
    text varchar(200) character set utf8mb4, narrow varchar(20) character set latin1, bits bit(9),
    amount decimal(30,10), kind enum('a', 'it''s'), base int default 5,
    kept int generated always as (base * 2) stored, virt int as (base * 3) virtual, fulltext key words (text)) engine=InnoDB;
  insert into everything (bytes, doc, place, day, at, text, narrow, bits, amount, kind) values
    (x'00ff270a5c', '{"a": [1, "x"]}', point(1, 2), '0000-00-00', '2026-02-03 04:05:06.789012', '🎉 it''s \\\\ \\n; -- (x),(y)', 'é', b'101', 1.0000000001, 'it''s'),
    (null, null, null, '2026-00-10', null, 'x''),(''y', '\\\\', null, -99999999999999999999.5, 'a');
  insert into everything (text, bytes) select repeat('ab;(''', 30), repeat(x'00', 5000) from everything a, everything b;
  create table \`odd \`\`na'me;"\` (\`co\`\`l;\` int, \`日本\` text) engine=InnoDB;
  insert into \`odd \`\`na'me;"\` values (1, 'x'), (2, null);
  create table first_one (id int primary key, other int, key (other)) engine=InnoDB;
  create table other_one (id int primary key, one int, constraint tie foreign key (one) references first_one (id) on delete cascade) engine=InnoDB;
  alter table first_one add constraint knot foreign key (other) references other_one (id);
  create table parts (a int) engine=InnoDB partition by range (a) (partition p0 values less than (10), partition p1 values less than maxvalue);
  insert into parts values (1), (20), (30);
  create table flat (a int) engine=MyISAM; insert into flat values (7);
  create table hollow (a int) engine=InnoDB;
  set sql_mode = 'ALLOW_INVALID_DATES'; insert into everything (day) values ('2026-02-31'); set sql_mode = '';
  set session innodb_strict_mode = 0; create table broad (a int, ${Array.from({ length: 190 }, (_, n) => `c${n} varchar(255)`).join()})
    engine=InnoDB row_format=compact character set latin1; set session innodb_strict_mode = 1;
  create function twice(a int) returns int deterministic return a * 2;
  create procedure speak(in a int) begin -- don't stop; here
    select ';;', "x'", a; /* it's */ end;
  create view zulu as select id, text from everything;
  create view aware as select id, text from zulu where id > 0 with cascaded check option;
  create table full_one (id int) engine=InnoDB; create view mine as select full_one.id, zulu.id as other from full_one join zulu;
  create view alpha as select id, twice(id) as two from zulu;
  create trigger second before insert on flat for each row set new.a = new.a + 1;
  create trigger third before insert on flat for each row follows second set new.a = new.a * 2;
  create event running on schedule every 1 day starts '2037-01-01 00:00:00' comment 'it''s; on completion preserve' do delete from everything where id < 0;
  create event resting on schedule at '2037-01-01 00:00:00' on completion preserve disable do begin delete from everything where id < 0; end;
  set sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES,PIPES_AS_CONCAT';
  create procedure "path"() select 'c:\\' || ';', 'd';
  set names latin1; create procedure accent() select 'x'; set names utf8mb4`;
const MARIADB = `
  set sql_mode = '';
  create sequence numbers start 41; do nextval(numbers);
  create table lax (a int check (a > 0)) engine=InnoDB; set check_constraint_checks = 0; insert into lax values (-1);
  create table asks (id int default nextval(numbers), a int) engine=InnoDB; insert into asks (a) values (1), (2);
  create table past (a int) engine=InnoDB with system versioning; insert into past values (1), (2); update past set a = 3 where a = 1;
  create table aria (a int invisible default 4, b inet6) engine=Aria; insert into aria (b) values ('::1');
  set sql_mode = ORACLE;
  create package tools as procedure x; end;
  create package body tools as procedure x is begin null; end; end`;

async function createEverything(name: string): Promise<void> {
  await server().query(`create database ${name} character set latin1`);
  // MySQL's replication forbids to rename tables with and without transactions in one statement.
  const common = server().isMariadb ? COMMON : COMMON.replace('engine=MyISAM', 'engine=InnoDB');
  await server().query(common, name);
  if (server().isMariadb) await server().query(MARIADB, name);
}

test('everything that a database can hold, and what was live comes back by undo', async () => {
  await createEverything('full_one');
  const before = content(server(), 'full_one');
  const dumped = await work.dump('full_one');
  expect(dumped).toMatchObject({ code: 0 });
  const { tables } = dumped.json<{ tables: { name: string; rows: number }[] }>();
  expect(Object.fromEntries(tables.map(({ name, rows }) => [name, rows]))).toMatchObject({
    everything: 7,
    'odd `na\'me;"': 2,
    parts: 3,
    flat: 1,
    hollow: 0,
  });
  await server().query(
    `drop view alpha; drop procedure speak; drop trigger second; create trigger mine before delete on parts for each row set @x = 1;
     alter event running disable; create view only_now as select 1 as x; drop table hollow; create table hollow (a text)`,
    'full_one',
  );
  const damaged = content(server(), 'full_one');
  const restored = await work.restore('full_one');
  expect(restored.stderr).not.toContain('sovereign-backup:');
  expect(restored.json()).toMatchObject({ warnings: [] });
  expect(content(server(), 'full_one')).toBe(before);
  expect(await work.undo('full_one')).toMatchObject({ code: 0 });
  expect(content(server(), 'full_one')).toBe(damaged);
});

test('what no dump of the tools can hold is said, and all else comes back', async () => {
  await server().query(`create database lossy; use lossy; create table yen (lost text character set sjis, kept text character set sjis)
    engine=InnoDB; insert into yen values (_sjis x'835c5c', _sjis x'835c'); set sql_mode = 'NO_BACKSLASH_ESCAPES';
    create procedure said() comment 'c:\\new' select 1; create procedure plain() comment 'c:/new' select 1;
    create event told on schedule every 1 day disable comment 'a\\b' do select 1`);
  if (server().isMariadb)
    await server().query(
      `create table ids (a int, since bigint unsigned generated always as row start, until bigint unsigned generated always as row end,
         period for system_time (since, until)) engine=InnoDB with system versioning;
       insert into ids (a) values (1), (2); update ids set a = 3 where a = 1;
       create table slow (a int, key (a)) engine=MyISAM; alter table slow disable keys;
       analyze table yen persistent for all; set histogram_size = 100; analyze table ids persistent for columns (a) indexes ()`,
      'lossy',
    );
  else await server().query('analyze table yen update histogram on kept', 'lossy');
  const dumped = await work.dump('lossy');
  expect(dumped).toMatchObject({ code: 0 });
  expect(dumped.stderr).toMatch(/not in the archive: some characters of yen\.lost \([^)]*sjis/);
  expect(dumped.stderr).not.toMatch(/characters of yen\.kept|comment of procedure plain/);
  expect(dumped.stderr).toMatch(/comment of procedure said \([^)]*NO_BACKSLASH_ESCAPES/);
  expect(dumped.stderr).toContain('comment of event told');
  expect(dumped.stderr).toContain(server().isMariadb ? 'keys are disabled: slow.a' : 'histogram of yen.kept');
  if (server().isMariadb) expect(dumped.stderr).toMatch(/PERSISTENT\) of ids, yen \(the tool writes/);
  if (server().isMariadb)
    expect(dumped.stderr).toMatch(/history of system-versioned table ids \([^)]*in ids\)/);
  expect((await work.restore('lossy')).json()).toMatchObject({ warnings: [] });
  expect(await server().query('select hex(kept) as kept from lossy.yen')).toEqual([{ kept: '835C' }]);
  if (server().isMariadb) expect(await rowsOf(server(), 'lossy', 'ids')).toBe(2);
});

test('what was live comes back by undo although a view and a trigger of it were broken already', async () => {
  await server().query('create database broken');
  await server().query(
    `create table base (id int); create table other (id int, gone int); create view on_base as select id from base;
     create view on_view as select id from on_base; create view good as select id from other;
     create trigger asks before insert on other for each row set new.gone = 1`,
    'broken',
  );
  expect(await work.dump('broken')).toMatchObject({ code: 0 });
  await server().query('drop table base; alter table other drop column gone', 'broken');
  const there = () =>
    server().query(
      `select table_name as name from information_schema.tables where table_schema = 'broken' order by 1`,
    );
  expect(await work.restore('broken')).toMatchObject({ code: 0 });
  const undone = await work.undo('broken');
  expect(undone).toMatchObject({ code: 0 });
  expect(undone.stderr).toMatch(/view on_view: .*was broken already when it was put aside.*select/);
  expect(undone.stderr).toMatch(/trigger asks: .*was broken already/);
  expect(await there()).toEqual([{ name: 'good' }, { name: 'other' }]);
  expect(await work.undo('broken')).toMatchObject({ code: 0 });
  expect((await there()).map(({ name }) => name)).toEqual(['base', 'good', 'on_base', 'on_view', 'other']);
});

test('what a client made in another character set than UTF-8 keeps its names, comments and texts', async () => {
  await server().query('create database legacy');
  // The driver sends UTF-8 all the same: each of these letters is two of latin1.
  await server().query(
    `create table t (id int); create table \`Ã¶\` (id int); set names latin1;
     create view \`ü\` as select id from t where id > 0 with cascaded check option;
     create trigger \`ö\` before insert on \`ö\` for each row set @a = 'ä'; create function \`ä\`() returns int comment 'ß' return 1;
     create procedure p(in comment int) comment 'é' select 'é';
     create event \`ë\` on schedule every 1 day starts '2037-01-01 00:00:00' comment 'ï' do set @a = 'ä';
     set sql_mode = 'NO_BACKSLASH_ESCAPES'; create procedure plain() comment 'a\\b' select 1`,
    'legacy',
  );
  // MySQL keeps the semicolon behind what was made among several statements; what is made again has none.
  const text = (column: string) => `trim(trailing ';' from ${column})`;
  const there = () =>
    server().query(`select concat_ws(' ', trigger_name, event_object_table, ${text('action_statement')}) as what from information_schema.triggers where trigger_schema = 'legacy'
      union all select concat_ws(' ', routine_name, ${text('routine_definition')}, routine_comment) from information_schema.routines where routine_schema = 'legacy'
      union all select concat_ws(' ', table_name, check_option) from information_schema.views where table_schema = 'legacy'
      union all select concat_ws(' ', event_name, ${text('event_definition')}, event_comment, status) from information_schema.events where event_schema = 'legacy' order by 1`);
  const before = await there();
  expect(before).toHaveLength(6);
  expect(await work.dump('legacy')).toMatchObject({ code: 0 });
  const undone = async () => {
    expect(await work.undo('legacy')).toMatchObject({ code: 0 });
    return there();
  };
  expect((await work.restore('legacy')).json()).toMatchObject({ warnings: [] });
  expect(await undone()).toEqual(before);
  await server().query('drop view `Ã¼`; drop function `Ã¤`; drop procedure p; drop event `Ã«`', 'legacy');
  expect((await work.restore('legacy')).json()).toMatchObject({ warnings: [] });
  // The tool writes that one's backslash twice, as the manifest says.
  const doubled = before.map(({ what }) => ({ what: String(what).replace('a\\b', 'a\\\\b') }));
  expect(await there()).toEqual(doubled);
});

test('an event with which the tool would never come to an end is named, and nothing is waited for', async () => {
  const event = (text: string) => `create event odd on schedule every 1 day disable do set @a = '${text}'`;
  await server().query(`create database endless; use endless; ${event('a;;b')}`);
  const dumped = await work.dump('endless');
  expect(dumped).toMatchObject({ code: 2, stdout: '' });
  expect(dumped.stderr).toMatch(/two semicolons in a row in the text of event odd,/);
  await server().query(`drop event odd; ${event('a;b')}`, 'endless');
  expect(await work.dump('endless')).toMatchObject({ code: 0 });
});

test.each(["o'clock", 'an "event"', 'back\\slash'])(
  'the events of database %s, whose name the tool gets wrong, are refused beforehand',
  async (name) => {
    await server().query(`create database ${quoted(name)}; use ${quoted(name)}; create table t (id int);
      create view v as select id from t; create event e on schedule every 1 day disable do set @a = 1`);
    const refused = await work.dump(name);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /with which the dump tool does not find the database again .* drop event e,/,
    );
    expect(refused.stderr).not.toContain('snapshot');
    await server().query('drop event e', name);
    expect(await work.dump(name)).toMatchObject({ code: 0 });
  },
);

test('routines of a database with a quote in its name are dumped, or it is said why this tool cannot', async () => {
  const name = "o'hare";
  await server().query(`create database ${quoted(name)}; use ${quoted(name)}; create procedure p() select 1`);
  const dumped = await work.dump(name);
  // MySQL 8's tool does not find the database again.
  const fails = /^8\./.test(server().version);
  expect(dumped).toMatchObject({ code: fails ? 3 : 0 });
  expect(dumped.stderr.includes('when it comes to its routines: use a newer one')).toBe(fails);
});

test('an empty database, beside one of the same name in capitals', async () => {
  await server().query('create database hollow');
  const [{ folds }] = (await server().query<{ folds: number }>(
    'select @@lower_case_table_names as folds',
  )) as [{ folds: number }];
  if (folds === 0)
    await server().query(
      `create database HOLLOW; use HOLLOW; create table t (a int); create trigger tr before insert on t for each row set @x = 1;
       create event ev on schedule every 1 day disable do select 1`,
    );
  const before = content(server(), 'hollow');
  expect((await work.dump('hollow')).json()).toMatchObject({ tables: [] });
  await server().query('create table hollow.t (x int)');
  expect(await work.restore('hollow')).toMatchObject({ code: 0 });
  expect(content(server(), 'hollow')).toBe(before);
});

describe('as a user with rights on its own databases only', () => {
  let managed: Workspace;
  beforeAll(async () => {
    // The copies' names begin with the database's own.
    await server().query(`create user app; create user ghost;
      grant all on \`managed%\`.* to app; create database managed; use managed;
      create table t (n int primary key) engine=InnoDB; insert into t values (1), (2), (3);
      create definer = ghost view seen as select * from t;
      create definer = ghost trigger made before insert on t for each row set new.n = new.n;
      create definer = app procedure own() select 1`);
    if (server().isMariadb)
      await server().query(
        'set sql_mode = ORACLE; create package kit as procedure x; end; create package body kit as procedure x is begin null; end; end; grant select on mysql.proc to app',
        'managed',
      );
    // MySQL's newest mysqldump asks for them.
    if (!server().isMariadb) await server().query('grant select on mysql.* to app');
    managed = await mariadbWorkspace(server, 'app');
  });
  afterAll(() => managed?.remove());

  test('dump, restore and undo work; what it may not carry over is said', async () => {
    expect(await managed.dump('managed')).toMatchObject({ code: 0 });
    await server().query('delete from managed.t');
    const restored = await managed.restore('managed');
    expect(restored).toMatchObject({ code: 0 });
    expect(restored.stderr).toMatch(
      /warning: what ran in the name of ghost@%(, root@localhost)? runs in the name of the user who restored, who may not name others/,
    );
    expect(await rowsOf(server(), 'managed', 't')).toBe(3);
    const definers = `select definer as definer from information_schema.views where table_schema = 'managed'
         union select definer from information_schema.triggers where trigger_schema = 'managed'
         union select definer from information_schema.routines where routine_schema = 'managed'`;
    const own = [{ definer: 'app@%' }];
    expect(await server().query(definers)).toEqual(own);
    // What was live when it was put aside was others', and this user cannot make it so again.
    const undone = await managed.undo('managed');
    expect(undone).toMatchObject({ code: 0 });
    expect(undone.stderr).toMatch(/in the name of ghost@%.* will run in the name of this user/);
    expect(await rowsOf(server(), 'managed', 't')).toBe(0);
    expect(await server().query(definers)).toEqual(own);
    expect(await managed.undo('managed')).toMatchObject({ code: 0 });
    expect(await rowsOf(server(), 'managed', 't')).toBe(3);
  });

  test('rights that hide a part of the database: no dump', async () => {
    await server().query(`create user blind; grant select, lock tables on managed.* to blind`);
    const blind = await mariadbWorkspace(server, 'blind');
    const ran = await blind.dump('managed');
    blind.remove();
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/lacks SHOW VIEW, TRIGGER, EVENT/);
  });

  test('an account that is gone: refused, unless all is to be in the name of who restores', async () => {
    expect(await work.dump('managed')).toMatchObject({ code: 0 });
    await server().query(`create user leaver; create definer = leaver view managed.his as select 1 as x`);
    expect(await work.dump('managed')).toMatchObject({ code: 0 });
    await server().query('drop user leaver');
    const before = content(server(), 'managed');
    const ran = await work.restore('managed');
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/accounts that this server does not have: "leaver@%"/);
    expect(content(server(), 'managed')).toBe(before);
    const without = await work.restore('managed', ['--no-owner']);
    expect(without).toMatchObject({ code: 0 });
    expect(without.stderr).toMatch(/in the name of .*leaver@%.* as asked for/);
    expect((await databases(server())).filter((name) => name.includes('__restore_'))).toEqual([]);
  });
});

test('a password that is wrong is one clear error, and the right one is taken from the environment', async () => {
  await server().query(
    `create user locked identified by 'se cret:\\\\x'; grant all on *.* to locked; create database secret`,
  );
  const locked = await mariadbWorkspace(server, 'locked');
  for (const MYSQL_PWD of ['guess', undefined]) {
    const ran = await locked.dump('secret', [], { env: { MYSQL_PWD } });
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/refused the login of "locked"/);
    expect(ran.stderr).not.toContain('guess');
  }
  const env = { MYSQL_PWD: 'se cret:\\x' };
  expect(await locked.dump('secret', [], { env })).toMatchObject({ code: 0 });
  expect(await locked.restore('secret', [], { env })).toMatchObject({ code: 0 });
  locked.remove();
});
