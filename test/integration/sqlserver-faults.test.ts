// What can go wrong on SQL Server: one clear sentence each, the live database untouched, nothing left in the bucket.
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { useMoto } from '../support/moto';
import {
  content,
  type Dumped,
  engineOf,
  KMS_KEY,
  names,
  type Running,
  staged,
  stagingBucket,
  startSqlServer,
} from '../support/sqlserver';
import { ServerError } from '../support/tds-server/tokens';

const moto = useMoto();
let run: ReturnType<typeof engineOf>;
let rds: Running;
let own: Running;

beforeAll(async () => {
  await stagingBucket(moto());
  run = engineOf(moto());
});
beforeEach(async () => {
  rds = await startSqlServer(moto(), { rds: true });
  own = await startSqlServer(moto(), { rds: false });
  for (const server of [rds, own]) server.model.create('acme', { notes: ['one', 'two'], log: ['a'] });
});
afterEach(async () => {
  expect(await staged(moto())).toEqual([]);
  for (const server of [rds, own]) {
    await server.stop();
    // Whatever happened, the tenant has its database, and nothing of ours lies about.
    if (server.model.find('acme'))
      expect(server.model.find('acme')).toMatchObject({ state: 'ONLINE', access: 'MULTI_USER' });
    expect(names(server).filter((name) => /__restore_/.test(name))).toEqual([]);
  }
});

const failing = (work: Promise<unknown>): Promise<{ exitCode: number; message: string }> =>
  work.then(
    (value) => Promise.reject(new Error(`it went well: ${JSON.stringify(value)}`)),
    (error) => error,
  );
const refused = async (work: Promise<unknown>, exitCode: number, message: RegExp) => {
  const error = await failing(work);
  expect(`${error.exitCode}: ${error.message}`).toMatch(new RegExp(`^${exitCode}: .*${message.source}`, 's'));
  expect(error.message).not.toMatch(/\n/);
};

describe('the server', () => {
  test('a wrong password, an unknown user', async () => {
    const wrong = { ...run.addressOf(rds), password: 'wrong' };
    const dump = (server: object) =>
      run.engine.dump({ server: server as never, database: 'acme', scope: { tenancy: 'database' } });
    await refused(dump(wrong), 2, /refused the login of "backup".*SQLCMDPASSWORD/);
    await refused(dump({ ...run.addressOf(rds), user: 'nobody' }), 2, /refused the login of "nobody"/);
    await refused(
      dump({ ...run.addressOf(rds), options: { staging: 's3://staging-eu' } }),
      2,
      /offers no encryption.*sslmode=disable/,
    );
    await refused(dump({ ...run.addressOf(rds), port: 1 }), 3, /cannot be reached/);
  });

  test('too old for S3, or another service', async () => {
    own.version = '15.0.4385.2';
    await refused(
      run.dump(own, 'acme'),
      2,
      /version 15\.0\.4385\.2, which cannot write backups to S3; version 16 \(2022\)/,
    );
    own.edition = 5;
    await refused(run.dump(own, 'acme'), 2, /Azure SQL Database/);
    rds.version = '15.0.4385.2';
    expect((await run.dump(rds, 'acme')).facts.serverVersion).toBe('15.0.4385.2');
  });

  test('no option group', async () => {
    rds.withoutOption = true;
    await refused(run.dump(rds, 'acme'), 2, /option group with the option SQLSERVER_BACKUP_RESTORE/);
  });

  test('no such tenant, none of the tenants, or one that is not open', async () => {
    for (const server of [rds, own])
      await refused(run.dump(server, 'acmee'), 2, /there is no database "acmee"/);
    await refused(run.dump(rds, 'msdb'), 2, /belongs to the server itself/);
    await refused(run.dump(rds, 'x'.repeat(129)), 2, /129 characters; SQL Server allows 128/);
    rds.model.create('broken').state = 'SUSPECT';
    await refused(run.dump(rds, 'broken'), 3, /is SUSPECT, so it cannot be backed up/);
  });

  test('options', async () => {
    const dump = (options: Record<string, string>) => run.dump(rds, 'acme', options);
    await refused(dump({ colour: 'red' }), 2, /option "colour"; known are/);
    await refused(dump({ sslmode: 'maybe' }), 2, /sslmode is "maybe"/);
    await refused(dump({ staging: 'bucket' }), 2, /staging is "bucket"; write it like/);
    await refused(dump({ kms_key: 'alias/acme' }), 2, /write the key's ARN/);
    await refused(
      dump({ kms_key: KMS_KEY.replace('eu-central-1', 'us-east-1') }),
      2,
      /kms_key is in us-east-1/,
    );
    await refused(
      dump({ kms_key: KMS_KEY.replace('arn:aws:', 'arn:aws-cn:') }),
      2,
      /partition aws-cn, and the staging bucket in eu-central-1 of aws/,
    );
    await refused(run.dump(own, 'acme', { kms_key: KMS_KEY }), 2, /kms_key is for RDS/);
    await refused(dump({ staging_region: 'eu-west-1' }), 2, /is in eu-central-1, and eu-west-1 was named/);
    await refused(dump({ staging: 's3://no-such-bucket-there/' }), 3, /looking for the staging bucket/);
    await refused(dump({ stalled_after: '0' }), 2, /stalled_after must be a whole number/);
    const { staging: _none, ...rest } = run.addressOf(rds).options;
    const server = { ...run.addressOf(rds), options: rest };
    await refused(
      run.engine.dump({ server, database: 'acme', scope: { tenancy: 'database' } }),
      2,
      /names none; add \?staging=s3/,
    );
  });
});

describe('a backup', () => {
  test('that fails, with what RDS says of it', async () => {
    rds.tasks.fault = () => ({ error: 'Access Denied (Service: Amazon S3; Status Code: 403)' });
    await refused(run.dump(rds, 'acme'), 3, /could not back up.*403.*may not use the staging bucket/);
    own.credentials.clear();
    await refused(
      run.dump(own, 'acme'),
      3,
      /Operating system error 5.*(CREATE CREDENTIAL|credential of the server)/,
    );
  });

  test('that is cancelled by somebody, or makes no progress', async () => {
    rds.tasks.fault = () => 'cancelled';
    await refused(run.dump(rds, 'acme'), 3, /task 1 of RDS was cancelled by somebody/);
    rds.tasks.fault = () => 'stuck';
    await refused(
      run.dump(rds, 'acme', { stalled_after: '1' }),
      3,
      /task 2 of RDS has been IN_PROGRESS at 40 % for 1 seconds/,
    );
    expect(rds.tasks.all.map(({ lifecycle }) => lifecycle)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  test('that has to wait for the maintenance window', async () => {
    rds.refusals = 1;
    expect((await run.dump(rds, 'acme')).tables).toHaveLength(2);
    let snapshots = 1;
    rds.tasks.fault = () =>
      snapshots-- > 0 ? { error: 'The backup cannot run while a snapshot is in progress.' } : undefined;
    expect((await run.dump(rds, 'acme')).tables).toHaveLength(2);
    expect(rds.tasks.all.map(({ lifecycle }) => lifecycle)).toEqual(['SUCCESS', 'ERROR', 'SUCCESS']);
  });

  test('that is stopped: RDS and the server stop, too', async () => {
    for (const server of [rds, own]) {
      server.tasks.fault = () => 'stuck';
      server.statementSteps = 10_000;
      const stop = new AbortController();
      const dump = run.dump(server, 'acme', {}, stop.signal);
      while (!server.log.some((sql) => /BACKUP DATABASE|rds_task_status @task_id/.test(sql))) await sleep(10);
      stop.abort(new Error('stopped by SIGTERM'));
      expect((await failing(dump)).message).toBe('stopped by SIGTERM');
    }
    expect(rds.tasks.all[0]!.lifecycle).toBe('CANCELLED');
    expect(own.model.sessions.size).toBe(0);
  });

  test('of a run that was killed is ended by the next one', async () => {
    rds.tasks.fault = ({ id }) => (id === 1 ? 'stuck' : undefined);
    const killed = run.dump(rds, 'acme');
    while (rds.tasks.all[0]?.percent !== 40) await sleep(10);
    for (const session of [...rds.model.sessions]) session.end();
    await refused(killed, 3, /the connection to .* was lost/);
    expect(rds.tasks.all[0]!.lifecycle).toBe('IN_PROGRESS');
    await run.dump(rds, 'acme');
    expect(rds.tasks.all.map(({ lifecycle }) => lifecycle)).toEqual(['CANCELLED', 'SUCCESS']);
  });

  test('of one tenant runs once at a time; of several, two at a time as RDS allows', async () => {
    for (const name of ['b', 'c', 'd']) rds.model.create(name, { t: [name] });
    const dumps = await Promise.all(['acme', 'acme', 'b', 'c', 'd'].map((name) => run.dump(rds, name)));
    expect(dumps).toHaveLength(5);
    expect(rds.tasks.mostAtOnce.count).toBe(2);
  });

  test('counts exactly what nobody wrote to, and says so of the rest', async () => {
    const { tables } = rds.model.find('acme')!;
    tables.push({ id: 900, schema: 'dbo', name: 'columnstore', rows: ['x'], writes: null });
    rds.locked.add('log');
    rds.tasks.fault = () => {
      tables[0]!.rows.push('three');
      tables[0]!.writes! += 1;
      return undefined;
    };
    const dumped = await run.dump(rds, 'acme');
    expect(dumped.facts.properties.inexact).toEqual(['dbo.columnstore', 'dbo.log', 'dbo.notes']);
    expect(dumped.facts.omitted.map(({ what }) => what)).toContain('exact row counts of 3 tables');
    rds.locked.clear();
    rds.tasks.fault = () => undefined;
    const { warnings } = await run.restore(rds, 'acme', dumped);
    expect(warnings).toEqual([
      expect.stringMatching(/rows of 3 tables could not be compared.*dbo\.columnstore/),
    ]);
    expect(content(rds, 'acme').notes).toEqual(['one', 'two', 'three']);
  });

  test('that holds what no archive can carry says so', async () => {
    Object.assign(own.model.find('acme')!, {
      encrypted: true,
      trustworthy: true,
      broker: true,
      capture: true,
    });
    own.model.find('acme')!.users.push({ name: 'app', login: 'app login' });
    const { facts } = await run.dump(own, 'acme');
    expect(facts.omitted.map(({ what }) => what).join()).toMatch(
      /logins.*TDE.*TRUSTWORTHY.*Service Broker.*change data capture/,
    );
    expect(facts.roles).toEqual(['app login']);
    expect(facts.properties.backup).toMatchObject({ lastLsn: expect.stringMatching(/^\d{17}/) });
  });
});

describe('a restore', () => {
  let onRds: Dumped;
  let onOwn: Dumped;
  beforeEach(async () => {
    [onRds, onOwn] = [await run.dump(rds, 'acme'), await run.dump(own, 'acme')];
  });

  test('without room on the server', async () => {
    own.diskFull = true;
    await refused(
      run.restore(own, 'acme', onOwn),
      3,
      /insufficient free space.*more storage; the live database was not touched/,
    );
    rds.tasks.fault = () => ({
      error: 'There is not enough space on the disk to perform restore database operation.',
    });
    await refused(
      run.restore(rds, 'acme', onRds),
      3,
      /not enough space.*more storage; the live database was not touched/,
    );
  });

  test('of a damaged backup, of another one, and of an archive that breaks off', async () => {
    const bytes = Buffer.from(onOwn.bytes);
    bytes[bytes.length >> 1]! ^= 1;
    for (const server of [rds, own])
      await refused(run.restore(server, 'acme', { ...onOwn, bytes }), 3, /Damage to the backup set/);
    const broken = async () =>
      Readable.from(
        (async function* () {
          yield onOwn.bytes.subarray(0, 10);
          throw new Error('bytes are missing at its end');
        })(),
        { objectMode: false },
      );
    const error = await failing(run.prepare(own, 'acme', onOwn, { open: broken }));
    expect(error.message).toMatch(/bytes are missing at its end/);
  });

  test('whose content is not what the manifest says', async () => {
    const tables = [
      { schema: 'dbo', name: 'notes', rows: 3 },
      { schema: 'dbo', name: 'gone', rows: 1 },
    ];
    await refused(
      run.prepare(rds, 'acme', onRds, { tables }),
      3,
      /dbo\.notes has 2 rows instead of 3; dbo\.gone is missing; the live database was not touched/,
    );
  });

  test('whose pages are broken is refused, and where nobody may look, it says so', async () => {
    own.model.find('acme')!.broken = true;
    const bad = await run.dump(own, 'acme');
    await refused(
      run.restore(own, 'acme', bad),
      3,
      /Page \(1:153\) could not be processed.*live database was not touched/,
    );
    own.model.find('acme')!.broken = false;
    rds.checkDenied = true;
    expect((await run.restore(rds, 'acme', onRds)).warnings).toEqual([
      expect.stringContaining('CHECKDB was not allowed'),
    ]);
  });

  test('of what another engine, a newer server or another key has made', async () => {
    const facts = (change: object) => ({ ...onOwn, facts: { ...onOwn.facts, ...change } });
    await refused(
      run.restore(own, 'acme', facts({ format: 'pg_dump custom' })),
      2,
      /format is "pg_dump custom"/,
    );
    await refused(
      run.restore(own, 'acme', facts({ serverVersion: '17.0.1' })),
      2,
      /version 17\.0\.1.*same or a newer version/,
    );
    const tenant = { kms_key: 'tenant' };
    await refused(
      run.dump(rds, 'acme', tenant, undefined, 'raw:1a2b'),
      2,
      /kms_key=tenant, and this archive gets raw:1a2b, which RDS cannot use; give --kms-key/,
    );
    const encrypted = await run.dump(rds, 'acme', tenant, undefined, KMS_KEY);
    expect(encrypted.facts.properties).toMatchObject({ kmsKey: KMS_KEY });
    expect(encrypted.bytes.includes('TAPE')).toBe(false);
    await refused(run.restore(own, 'acme', encrypted), 2, /Amazon RDS encrypted this backup/);
    expect(await run.restore(rds, 'acme', encrypted)).toMatchObject({ warnings: [] });
    const elsewhere = {
      properties: { ...encrypted.facts.properties, kmsKey: KMS_KEY.replace(/1{12}/, '222222222222') },
    };
    await refused(
      run.restore(rds, 'acme', { ...encrypted, facts: { ...encrypted.facts, ...elsewhere } }),
      3,
      /KMS key/,
    );
  });

  test('where databases cannot be renamed, or somebody works on live, ends before it begins', async () => {
    rds.model.find('acme')!.mirrored = true;
    await refused(run.restore(rds, 'acme', onRds), 3, /Multi-AZ.*cannot be renamed/);
    rds.model.find('acme')!.mirrored = false;
    own.model.find('acme')!.access = 'RESTRICTED_USER';
    await refused(run.restore(own, 'acme', onOwn), 3, /RESTRICTED_USER mode: somebody works on it/);
    own.model.find('acme')!.access = 'MULTI_USER';
    expect(rds.tasks.all.filter(({ type }) => type === 'RESTORE_DB')).toEqual([]);
  });

  test('into a database of which there is no trace', async () => {
    for (const [server, dumped] of [
      [rds, onRds],
      [own, onOwn],
    ] as const) {
      server.model.databases.clear();
      const prepared = await run.prepare(server, 'acme', dumped);
      expect(prepared.liveExists).toBe(false);
      expect(await prepared.swap()).toEqual({});
      expect(content(server, 'acme')).toMatchObject({ notes: ['one', 'two'] });
      await refused(run.undo(server, 'acme'), 2, /no kept copy of database "acme"/);
    }
  });

  test('that somebody declines, or keeps under another name', async () => {
    const declined = await run.prepare(rds, 'acme', onRds);
    await declined.discard();
    const taken = await run.prepare(own, 'acme', onOwn);
    await refused(taken.keepAs('ACME'), 2, /database "ACME" exists/);
    const kept = await run.prepare(own, 'acme', onOwn);
    await kept.keepAs('acme friday');
    expect(content(own, 'acme friday')).toMatchObject({ notes: ['one', 'two'] });
    expect(own.model.find('acme friday')!.properties).toEqual({});
  });

  test('that is stopped while the server restores', async () => {
    for (const [server, dumped] of [
      [rds, onRds],
      [own, onOwn],
    ] as const) {
      server.tasks.fault = () => 'stuck';
      server.statementSteps = 10_000;
      const stop = new AbortController();
      const restore = run.prepare(server, 'acme', dumped, { signal: stop.signal });
      while (server.model.find('acme__restore_1a2b3c4d')?.state !== 'RESTORING') await sleep(10);
      stop.abort(new Error('stopped by SIGTERM'));
      expect((await failing(restore)).message).toBe('stopped by SIGTERM');
      expect(names(server)).toEqual(['acme']);
    }
  });

  test('beside a database that has its copy’s name and is somebody else’s', async () => {
    rds.model.create('acme__restore_1a2b3c4d', { theirs: ['x'] });
    await refused(run.restore(rds, 'acme', onRds), 2, /is not from this tool; rename it or drop it/);
    expect(content(rds, 'acme__restore_1a2b3c4d')).toEqual({ theirs: ['x'] });
    rds.model.databases.delete('acme__restore_1a2b3c4d');
    // A mark alone makes nothing ours: the name must agree.
    rds.model.create('acme_other').properties['sovereign-backup'] = JSON.stringify({
      tool: 'sovereign-backup',
      kind: 'restore',
      tenant: 'acme',
      database: 'acme',
      at: '2026-01-01T00:00:00.000Z',
    });
    await run.restore(rds, 'acme', onRds);
    expect(names(rds)).toContain('acme_other');
  });

  test('two at once: one after the other', async () => {
    const both = await Promise.all([run.restore(own, 'acme', onOwn), run.restore(own, 'acme', onOwn)]);
    expect(new Set(both.map(({ undo }) => undo)).size).toBe(2);
    expect(names(own)).toHaveLength(3);
  });

  test('whose owner is gone, or whose users have no login here', async () => {
    own.model.find('acme')!.users.push({ name: 'app', login: null });
    own.model.find('acme')!.owner = 'left the company';
    const { warnings } = await run.restore(own, 'acme', await run.dump(own, 'acme'));
    expect(warnings.join('\n')).toMatch(
      /user "app" has no login.*\n.*owner "left the company" could not be set/,
    );
  });
});

describe('the swap', () => {
  let dumped: Dumped;
  beforeEach(async () => {
    dumped = await run.dump(own, 'acme');
    own.model.find('acme')!.tables[0]!.rows = ['live'];
  });
  const inUse = new ServerError(
    5030,
    'The database could not be exclusively locked to perform the operation.',
  );

  test('is tried again while sessions come back, and then gives up with live as it was', async () => {
    let left = 2;
    own.fault = (sql) =>
      /MODIFY NAME = \[acme__undo/.test(sql) && left-- > 0 ? { error: inUse } : undefined;
    await run.restore(own, 'acme', dumped);
    expect(content(own, 'acme').notes).toEqual(['one', 'two']);
    await run.undo(own, 'acme');
    own.fault = (sql) => (/MODIFY NAME = \[acme__undo/.test(sql) ? { error: inUse } : undefined);
    await refused(
      run.restore(own, 'acme', dumped),
      3,
      /could not be swapped.*exclusively locked.*database "acme" is as it was/,
    );
    expect(content(own, 'acme').notes).toEqual(['live']);
    expect(own.model.find('acme')!.properties).toEqual({});
  });

  test('puts back what it began when the second rename fails', async () => {
    own.fault = (sql) =>
      /MODIFY NAME = \[acme\]/.test(sql) && /__restore_/.test(sql) ? { error: inUse } : undefined;
    await refused(run.restore(own, 'acme', dumped), 3, /could not be swapped/);
    expect(content(own, 'acme').notes).toEqual(['live']);
    expect(names(own)).toEqual(['acme']);
  });
});

test('any name a server allows is dumped and restored as that name and no other', async () => {
  const odd = [
    "it's",
    'a]b',
    '[x]]',
    'semi; DROP DATABASE [acme]; --',
    ' space ',
    'テナント😀',
    "'); SHUTDOWN --",
    '%_[a-z]',
    'x'.repeat(128),
  ];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...odd), fc.boolean(), async (name, managed) => {
      const server = managed ? rds : own;
      server.model.databases.clear();
      server.model.create('acme', { notes: ['mine'] });
      server.model.create(name, { [name]: ['one'] });
      const dumped = await run.dump(server, name);
      server.model.find(name)!.tables[0]!.rows = [];
      await run.restore(server, name, dumped);
      expect(content(server, name)).toEqual({ [name]: ['one'] });
      expect(content(server, 'acme')).toEqual({ notes: ['mine'] });
      expect(await run.databases(server, '%')).toEqual([name, 'acme'].sort());
      await run.undo(server, name);
      expect(content(server, name)).toEqual({ [name]: [] });
    }),
    { numRuns: 9 },
  );
});

test('a pattern means the same as on other servers', async () => {
  rds.model.databases.clear();
  for (const name of ['tenant_a', 'tenantXa', 'tenant[1]', 'tenant1']) rds.model.create(name);
  expect(await run.databases(rds, 'tenant\\_%')).toEqual(['tenant_a']);
  expect(await run.databases(rds, 'tenant[1]')).toEqual(['tenant[1]']);
  expect(await run.databases(rds, 'tenant_a')).toEqual(['tenantXa', 'tenant_a']);
});

test('answers that break off are errors, in packets of any size, and never hang or pass for a backup', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(7, 100, 4088),
      async (which, share, packetBytes) => {
        let count = 0;
        rds.packetBytes = packetBytes;
        rds.tear = (answer) => {
          count += 1;
          return count === which ? Math.floor(share * answer.length) : undefined;
        };
        const outcome = await run.dump(rds, 'acme').catch((error) => error);
        rds.tear = () => undefined;
        if (outcome instanceof Error)
          expect(outcome).toMatchObject({ exitCode: 3, message: expect.stringMatching(/./) });
        else expect(outcome.tables).toHaveLength(2);
      },
    ),
    { numRuns: 15 },
  );
  await run.dump(rds, 'acme');
});

test('sizes: the data files of those that are asked for', async () => {
  rds.model.create('other', { notes: ['one'] });
  const of = { databases: ['acme', 'gone'] };
  const sizes = await run.engine.sizes!({ server: run.addressOf(rds), of });
  expect([...sizes]).toEqual([['acme', expect.any(Number)]]);
});
