import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { Duration, Stack } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  BackupEstate,
  DatabaseServer,
  ExternalStore,
  PrivacyRegime,
  ResourceType,
  TenantBackups,
  TenantDrill,
  TenantSource,
} from 'cdk-sovereign-backup';
import type { ObjectivesResult } from '../../lib/objective/templates/model';
import { type Ran, runCli } from '../support/cli';
import { appWith } from '../synth';
import { EVERYTHING, STAYING } from './templates';

const folder = mkdtempSync(join(tmpdir(), 'objectives-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const schema = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync('schema/objectives.schema.json', 'utf8')),
);

let count = 0;
function file(text: string, ending = 'yaml'): string {
  const path = join(folder, `${count++}.${ending}`);
  writeFileSync(path, text);
  return path;
}
const place = ['--region', 'eu-central-1', '--account', '111111111111', '--param', 'Hours=1'];
const everything = file(EVERYTHING);

function read(ran: Ran): ObjectivesResult {
  expect(ran.stderr).toBe('');
  const result = ran.json<ObjectivesResult>();
  expect(schema.errors ?? (schema(result) ? null : schema.errors)).toBeNull();
  return result;
}
const named = ({ resources }: ObjectivesResult, subject: string) => {
  const found = resources.filter((each) => each.subject === subject);
  expect([subject, found.length]).toEqual([subject, 1]);
  return found[0]!;
};

test('what AWS Backup does not copy stays in the ordinary vault of its rule; ONTAP and ZFS each have one row', async () => {
  const result = read(await runCli(['objectives', file(STAYING), ...place.slice(0, 4), '--json']));
  const places = (subject: string) => named(result, subject).copies.map(({ name }) => name);
  expect(places('Warehouse')).toEqual(['home']);
  expect(places('OntapVolume')).toEqual(['home']);
  expect(places('Zfs')).toEqual(['gapped', 'away']);
  expect(result.resources.map(({ subject }) => subject).sort()).toEqual(['OntapVolume', 'Warehouse', 'Zfs']);
});

describe('a template with a bit of everything', () => {
  let result: ObjectivesResult;
  beforeAll(async () => {
    result = read(await runCli(['objectives', everything, ...place, '--json']));
  });

  test('a database that the selection takes by tag has the rule, its copy, its lock and its drill', () => {
    const row = named(result, 'Database');
    expect(row).toMatchObject({ type: 'RDS', regime: 'eu', reachBackDays: 90, immutability: 'compliance' });
    expect(row.loss).toMatchObject({ minutes: 5, arithmetic: '5 min behind, continuously' });
    expect(row.lossWithoutRegion).toMatchObject({ minutes: 1440 + 60 + 120 });
    expect(row.copies.map(({ name, region, lock }) => [name, region, lock])).toEqual([
      ['home', 'eu-central-1', 'compliance'],
      ['away', 'eu-west-1', 'unknown'],
    ]);
    expect(row.drill).toEqual({ name: 'weekly', everyMinutes: 10_080, judged: true });
    expect(row.checklist.map(({ ok }) => ok)).toEqual([true, null, true, true, true]);
  });

  test('what the conditions leave out is not protected, and neither is what NotResources names', () => {
    expect(named(result, 'Skipped').layers).toEqual([]);
    expect(named(result, 'Scratch').layers).toEqual([]);
    expect(result.summary.unprotected).toBe(2);
  });

  test('a table has its own recovery besides the rule, which is not continuous for it', () => {
    const row = named(result, 'Orders');
    expect(row.layers.map(({ name, loss }) => [name, loss.minutes])).toEqual([
      ['rule daily', 1620],
      ['point-in-time recovery', 5],
    ]);
  });

  test('what a selection takes elsewhere is told by type and tag, with the same figures', () => {
    const row = named(result, 'RDS tagged env=prod and backup not like n*');
    expect(row.loss).toMatchObject({ minutes: 5 });
    expect(row.drill?.name).toBe('weekly');
    expect(named(result, 'S3 tagged env=prod and backup not like n*').loss?.minutes).toBe(15);
  });

  test('snapshots count their late start, and a count of them is a time', () => {
    const row = named(result, 'EC2 tagged role=db');
    expect(row.loss?.arithmetic).toBe('1 h between runs + 1 h that a run may start late = 2 h');
    expect(row.layers[0]!.retentionDays).toBe(2);
    expect(row.copies.map(({ region, retentionDays }) => [region, retentionDays])).toEqual([
      ['eu-central-1', 2],
      ['eu-west-1', 14],
    ]);
  });

  test('buckets and caches without backup, replicas and what is no data are left out', () => {
    const subjects = result.resources.map(({ subject }) => subject);
    for (const quiet of ['Logs', 'Idle', 'Replica', 'Vault']) expect(subjects).not.toContain(quiet);
    expect(named(result, 'Cache').loss?.arithmetic).toContain('24 h between runs + 1 h snapshot window');
  });

  test('nothing is missed where nothing is asked', () => {
    expect(result.summary.missed).toBe(0);
    expect(result.resources.every(({ objective }) => objective === null)).toBe(true);
  });
});

test('options are asked of everything; the exit code tells, and the table says what and why', async () => {
  const ran = await runCli(['objectives', everything, ...place, '--max-data-loss', '2h', '--copies', '2']);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toMatch(/Skipped in eu-central-1: nothing backs it up/);
  expect(ran.stdout).toMatch(/Cache in eu-central-1: the objective allows a loss of 2 h.*= 25 h/);
  expect(ran.stdout).toMatch(/Cache in eu-central-1: the objective asks for 2 copies, and there is 1/);
  expect(ran.stdout).not.toMatch(/EC2 tagged role=db in eu-central-1: the objective/);
  expect(ran.stdout).toMatch(/^everything +nothing +0 /m);
});

test('a policy asks, and exempts with a reason', async () => {
  const policy = file(
    'schemaVersion: 1\nobjectives:\n  retention: 7d\n  exempt:\n' +
      ['Skipped', 'Scratch'].map((name) => `    - { resource: ${name}, reason: throw-away data }\n`).join(''),
  );
  const result = read(await runCli(['objectives', everything, ...place, '--policy', policy, '--json']));
  expect(result.summary).toMatchObject({ exempt: 2, missed: 1 });
  expect(named(result, 'EC2 tagged role=db')).toMatchObject({ statedBy: 'policy', missed: [] });
  expect(named(result, 'Skipped')).toMatchObject({ exempt: 'throw-away data', missed: [] });
}, 60_000);

test('the report has the same table, and no name in it is markup', async () => {
  const hostile = file(EVERYTHING.replace('Value: db', "Value: '<img src=x onerror=alert(1)>'"));
  const policy = file('schemaVersion: 1\nobjectives: { maxDataLoss: 2h }\n');
  const ran = await runCli(['audit', hostile, ...place, '--policy', policy, '--format', 'html']);
  const section = /<section id="objectives"[\s\S]*?<\/section>/.exec(ran.stdout)?.[0] ?? '';
  expect(section).toContain('EC2 tagged role=&lt;img src=x onerror=alert(1)&gt;');
  expect(section).not.toContain('<img');
  expect(section).toMatch(/missed<\/span> <b>Cache<\/b>[\s\S]*25 h[\s\S]*the objective allows a loss of 2 h/);
});

test('what cannot be determined is said, and fails in strict mode only', async () => {
  const open = place.slice(0, 4);
  const loose = await runCli(['objectives', everything, ...open]);
  expect([loose.code, loose.stdout]).toEqual([
    0,
    expect.stringContaining('undetermined: EC2 tagged role=db'),
  ]);
  expect((await runCli(['objectives', everything, ...open, '--strict'])).code).toBe(1);
});

test('of a plan that a condition decides, the worse outcome counts', async () => {
  const text = EVERYTHING.replace(
    'ScheduleExpression: cron(0 5 ? * * *)',
    'ScheduleExpression: !If [Rich, cron(0 5 ? * * *), cron(0 5 ? * SUN *)]',
  ).replace('EnableContinuousBackup: true', 'EnableContinuousBackup: false');
  const result = read(await runCli(['objectives', file(text), ...place, '--json']));
  const row = named(result, 'Database');
  expect(row.loss?.minutes).toBe(10_080 + 180);
  expect(row.undetermined).toEqual([expect.stringContaining('2 outcomes')]);
});

test.each([
  [['--max-data-loss', 'soon'], '--max-data-loss soon: must be a number and m, h, d or w'],
  [['--retention', '5h'], '--retention 5h: must be whole days'],
  [['--copies', '0'], '--copies 0: must be a whole number from 1'],
  [['--region', 'eu-nowhere-1'], 'is no region of the catalogue'],
])('refuses %j', async (options, message) => {
  const ran = await runCli(['objectives', everything, ...options]);
  expect([ran.code, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toContain(message);
});

test('a policy whose objectives are wrong is refused line by line', async () => {
  const policy = file(
    'schemaVersion: 1\nobjectives:\n  maxDataLoss: 2 hours\n  retention: 5h\n  copies: none\n  soon: yes\n  exempt: [{ resource: x }]\n',
  );
  const ran = await runCli(['objectives', everything, ...place, '--policy', policy]);
  expect(ran.code).toBe(2);
  for (const [line, part] of [
    [3, 'maxDataLoss must be'],
    [4, 'retention must be whole days'],
    [5, 'copies must be a whole number'],
    [6, '"soon" means nothing here'],
    [7, 'reason is missing'],
  ]) {
    expect(ran.stderr).toMatch(new RegExp(`:${line}: objectives[^\\n]*${part}`));
  }
});

test('constructs and templates have one arithmetic, and an estate states its objective in its templates', async () => {
  const app = appWith({}, { outdir: join(folder, 'estate') });
  const types = [ResourceType.EC2, ResourceType.RDS];
  const estate = new BackupEstate(app, 'Prod', {
    account: '111111111111',
    territories: [{ regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] }],
    types,
    objective: { maxDataLoss: Duration.hours(6), copies: 2, restoreTestEvery: Duration.days(7) },
    restoreTests: {},
  });
  const { plan, snapshots } = estate.territories[0]!;
  app.synth();
  const result = read(await runCli(['objectives', join(folder, 'estate'), '--json']));
  expect(result.summary).toEqual({ resources: 2, missed: 0, undetermined: 0, unprotected: 0, exempt: 0 });
  for (const type of types) {
    const row = named(result, `${type.name} tagged sovereign-backup=protected`);
    const layers = [...plan._layers(type), ...(type === ResourceType.EC2 ? [snapshots!._layer()] : [])];
    expect(row.layers.map(({ name, retentionDays }) => [name, retentionDays])).toEqual(
      layers.map(({ name, retentionDays }) => [name, retentionDays]),
    );
    const stores = layers
      .flatMap((each) => each.stores!)
      .map(({ name, region, lock }) => `${name} ${region} ${lock}`);
    expect(row.copies.map(({ name, region, lock }) => `${name} ${region} ${lock}`).sort()).toEqual(
      [...new Set(stores)].sort(),
    );
    expect(row).toMatchObject({
      statedBy: 'template',
      objective: { maxLossMinutes: 360, copies: 2, restoreTestMinutes: 10_080 },
      drill: { everyMinutes: 10_080, judged: type === ResourceType.EC2 },
    });
  }
});

test('tenants count their stores elsewhere, their generations and their drill; caches of a territory count', async () => {
  const app = appWith({}, { outdir: join(folder, 'tenants') });
  const estate = new BackupEstate(app, 'Prod', {
    account: '111111111111',
    territories: [
      {
        regime: PrivacyRegime.EU,
        home: 'eu-central-1',
        copies: ['eu-west-1'],
        caches: { replicationGroups: ['sessions'] },
      },
    ],
    restoreTests: {},
  });
  const stack = estate.stackOf('eu-central-1');
  const credentials = Secret.fromSecretNameV2(stack, 'Provider', 'provider');
  const source = TenantSource.discover(DatabaseServer.fromEndpoint({ host: 'db.internal' }), '%');
  const backups = new TenantBackups(stack, 'Tenants', {
    source,
    generations: { weekly: 5, monthly: 12 },
    externalStores: [
      ExternalStore.s3Compatible({
        endpoint: 'https://s3.eu-central-1.example.com',
        bucket: 'away',
        // A provider may call its regions as AWS does, wherever they are.
        region: 'eu-central-1',
        country: 'NL',
        credentials,
      }),
    ],
  });
  new TenantBackups(stack, 'Others', { source });
  // Alarms of the estate's watch ring for the caches, too.
  expect(estate.watches[0]!.alarms.map(({ node }) => node.id)).toContain('CacheMissingAlarm');
  new TenantDrill(
    new Stack(app, 'Drills', { env: { account: '111111111111', region: 'eu-central-1' } }),
    'Weekly',
    { backups },
  );
  new TenantDrill(stack, 'Rare', { backups, schedule: 'cron(0 4 1 * ? *)' });
  app.synth();
  const result = read(await runCli(['objectives', join(folder, 'tenants'), '--json']));
  const row = named(result, 'tenants of Prod/eu-central-1/Tenants');
  expect(row.reachBackDays).toBe(10 * 28);
  expect(row.drill).toEqual({ name: 'the drill Drills/Weekly', everyMinutes: 10_080, judged: true });
  expect(row.copies.map(({ region, account }) => [region, account])).toEqual([
    ['eu-central-1', '111111111111'],
    ['NL (eu-central-1)', 's3.eu-central-1.example.com'],
  ]);
  expect(row.lossWithoutRegion).toMatchObject({
    minutes: row.loss!.minutes,
    arithmetic: row.loss!.arithmetic,
  });
  expect(row.checklist.map(({ ok }) => ok)).toEqual([true, true, null, false, true]);
  expect(named(result, 'tenants of Prod/eu-central-1/Others')).toMatchObject({
    drill: null,
    reachBackDays: 7,
  });
  expect(named(result, 'cache sessions').copies).toHaveLength(1);
});
