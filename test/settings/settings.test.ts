import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Ajv from 'ajv';
import { Duration } from 'aws-cdk-lib';
import { AirGappedVault, BackupEstate, PrivacyRegime, ResourceType } from 'cdk-sovereign-backup';
import type { Shown } from '../../bin/settings/rows';
import { type BackupSettings, startBackupSettings } from '../support/backup-settings';
import { runCli } from '../support/cli';
import { inTerminal } from '../support/in-terminal';
import { appWith } from '../synth';

const ACCOUNT = '111111111111';
const valid = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync('schema/settings.schema.json', 'utf8')),
);
const folder = mkdtempSync(join(tmpdir(), 'settings-'));
let aws: BackupSettings;
let estate: string;

beforeAll(async () => {
  aws = await startBackupSettings(ACCOUNT);
  const app = appWith();
  const made = new BackupEstate(app, 'Prod', {
    account: ACCOUNT,
    territories: [
      { regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] },
      {
        regime: PrivacyRegime.UK,
        home: 'eu-west-2',
        soleRegion: { acceptedBy: 'CISO', reviewOn: '2999-01-01', bunkerAccount: '222222222222' },
      },
    ],
    types: [ResourceType.RDS, ResourceType.AURORA, ResourceType.DYNAMODB],
    watch: { enabled: false },
  });
  new AirGappedVault(made.stackOf('eu-west-1'), 'Gap', {
    irreversibleMinRetention: Duration.days(7),
    irreversibleMaxRetention: Duration.days(35),
    approvalTeamArn: 'arn:aws:mpa:us-east-1:111111111111:approval-team/x',
  });
  estate = app.synth().directory;
});
afterAll(async () => {
  await aws.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  aws.member = false;
  aws.forgetful = false;
  aws.changes.length = 0;
  aws.organization = { isCrossAccountBackupEnabled: 'false', isMpaEnabled: 'true' };
  for (const region of ['eu-central-1', 'eu-west-1', 'eu-west-2'])
    aws.regions[region] = {
      optIn: { Aurora: region === 'eu-west-2', DynamoDB: false, EC2: true, Timestream: false },
      advanced: { DynamoDB: false, EFS: true },
    };
});

const run = (...args: string[]) => runCli(['settings', ...args], { env: aws.environment });
const off = ({ rows }: Shown) =>
  rows.filter(({ on }) => on === false).map(({ region, setting, type }) => [region, setting, type]);
function template(resources: object): string {
  const file = join(folder, `${Math.random()}.json`);
  writeFileSync(file, JSON.stringify({ Resources: resources }));
  return file;
}
const selection = (more: object) => ({
  Selection: {
    Type: 'AWS::Backup::BackupSelection',
    Properties: {
      BackupPlanId: 'plan',
      BackupSelection: { SelectionName: 's', IamRoleArn: 'arn:aws:iam::111111111111:role/b', ...more },
    },
  },
});

test('says what an estate needs, why, and what is off; and changes nothing', async () => {
  const ran = await run(estate, '--json');
  expect([ran.stderr, ran.code]).toEqual(['', 1]);
  const shown = ran.json<Shown>();
  expect(valid(shown) ? null : valid.errors).toBeNull();
  expect(off(shown)).toEqual([
    ['eu-central-1', 'opt-in', 'Aurora'],
    ['eu-central-1', 'advanced', 'DynamoDB'],
    ['eu-west-2', 'advanced', 'DynamoDB'],
    [null, 'isCrossAccountBackupEnabled', null],
  ]);
  // What is on is shown, too: RDS is named, and needs nothing.
  expect(
    shown.rows.filter(({ on }) => on).map(({ region, type, setting }) => [region, setting, type]),
  ).toEqual([
    ['eu-west-2', 'opt-in', 'Aurora'],
    [null, 'isMpaEnabled', null],
  ]);
  expect(shown.regions['eu-west-1']?.optIn.EC2).toBe(true);
  expect(shown.elsewhere).toEqual(['eu-west-2 222222222222']);
  expect(aws.changes).toEqual([]);
});

test('switches on what is needed, keeps what is there, and has nothing to do a second time', async () => {
  const table = await run(estate);
  const { code, lines } = await inTerminal(80, ['settings', estate], aws.environment);
  expect([code, lines.filter((line) => line.length > 80)]).toEqual([table.code, []]);
  expect(lines).toContainEqual(expect.stringMatching(/^eu-central-1 +backup of Aurora +off$/));
  expect(table.code).toBe(1);
  expect(table.stdout).toMatch(/eu-central-1 +backup of Aurora +off +the selection \w+ names it/);
  expect(table.stdout).toContain('4 of 6 needed settings are off\n');
  const ran = await run(estate, '--apply', '--confirm', ACCOUNT);
  expect([ran.stderr, ran.code]).toEqual(['', 0]);
  expect(ran.stdout).toContain('all that is needed is on now\n');
  expect(aws.changes.map(({ region }) => region)).toEqual(['eu-central-1', 'eu-west-2', 'eu-central-1']);
  expect(aws.regions['eu-central-1']).toEqual({
    optIn: { Aurora: true, DynamoDB: false, EC2: true, Timestream: false },
    advanced: { DynamoDB: true, EFS: true },
  });
  expect(aws.organization).toEqual({ isCrossAccountBackupEnabled: 'true', isMpaEnabled: 'true' });
  const again = await run(estate, '--apply', '--confirm', ACCOUNT);
  expect([again.code, aws.changes.length]).toEqual([0, 3]);
});

test('a selection by tag alone needs every type that the region has, unless one is named', async () => {
  const place = ['--region', 'eu-central-1', '--account', ACCOUNT, '--json'];
  const tags = [{ ConditionType: 'STRINGEQUALS', ConditionKey: 'a', ConditionValue: 'b' }];
  const ran = await run(template(selection({ ListOfTags: tags })), ...place);
  expect(off(ran.json<Shown>()).map(([, setting, type]) => `${setting} ${type}`)).toEqual([
    'opt-in Aurora',
    'opt-in DynamoDB',
    'opt-in Timestream',
    'advanced DynamoDB',
  ]);
  const named = await run(template(selection({ Resources: ['arn:aws:ec2:*:*:instance/*'] })), ...place);
  expect([named.code, named.json<Shown>().rows]).toEqual([0, []]);
  const asked = await run('--region', 'eu-west-1', '--type', 'Aurora', '--type', 'FSx', '--json');
  expect(asked.code).toBe(1);
  expect(asked.json<Shown>().rows.map(({ type, on }) => [type, on])).toEqual([
    ['Aurora', false],
    ['FSx', null],
  ]);
});

test.each<[string, () => string[], string]>([
  ['the wrong account', () => [estate, '--apply', '--confirm', '222222222222'], 'nothing was changed'],
  ['no confirmation and no terminal', () => [estate, '--apply'], 'give --confirm with its number'],
  ['a confirmation of nothing', () => [estate, '--confirm', ACCOUNT], '--confirm goes with --apply'],
  ['nothing to go by', () => [], 'name templates, or what is needed'],
  ['no region', () => ['--type', 'RDS'], '--region has to say which region'],
  ['a region that is none', () => ['--region', 'eu-x', '--type', 'RDS'], 'is no region of the catalogue'],
  [
    'a type that is none',
    () => ['--region', 'eu-west-1', '--type', 'Mail'],
    'is no type that AWS Backup has',
  ],
  [
    'templates of another account',
    () => [template(selection({ Resources: ['*'] })), '--region', 'eu-west-1', '--account', '333333333333'],
    'these credentials are of account 111111111111, and the templates of others: eu-west-1 333333333333',
  ],
  [
    'a template of nobody knows where',
    () => [template(selection({ Resources: ['*'] }))],
    'the region of a template is not known',
  ],
  [
    'templates without backups',
    () => [template({ Topic: { Type: 'AWS::SNS::Topic' } }), '--region', 'eu-west-1'],
    'no vault and no selection',
  ],
])('refuses %s', async (_name, args, message) => {
  const ran = await run(...args());
  expect(ran.stderr).toContain(message);
  expect([ran.code, ran.stdout, aws.changes]).toEqual([2, '', []]);
});

test('says what failed, and what had been changed before', async () => {
  aws.member = true;
  const member = await run(estate, '--apply', '--confirm', ACCOUNT);
  expect(member.code).toBe(3);
  expect(member.stderr).toMatch(
    /from its management account only, answered InvalidRequestException: .*; eu-central-1, eu-west-2 had been changed before\n$/,
  );
  aws.member = false;
  aws.forgetful = true;
  const forgetful = await run('--region', 'eu-west-1', '--type', 'Aurora', '--apply', '--confirm', ACCOUNT);
  expect([forgetful.code, forgetful.stdout]).toEqual([3, '']);
  expect(forgetful.stderr).toContain('took the change and did not make it: backup of Aurora still off');
  delete aws.regions['eu-west-1'];
  const denied = await run('--region', 'eu-west-1', '--type', 'Aurora');
  expect(denied.code).toBe(3);
  expect(denied.stderr).toContain('AWS Backup in eu-west-1 answered AccessDeniedException');
  const { AWS_ACCESS_KEY_ID: _, ...without } = aws.environment;
  const nobody = await runCli(['settings', '--region', 'eu-west-1', '--type', 'RDS'], {
    env: { ...without, AWS_ACCESS_KEY_ID: undefined },
  });
  expect(nobody.code).toBe(3);
  expect(nobody.stderr).toContain('there are no AWS credentials: set AWS_PROFILE, or log in');
});
