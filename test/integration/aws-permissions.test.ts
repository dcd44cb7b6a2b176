// Each function, with the environment that the template gives it, against the stand-in for AWS, which lets everybody do
// everything; then every call that it made is put to a simulator of IAM, with the policies of the same template.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { decide } from '../guard/simulate';
import { ACCOUNT, type Deployed, deploy, one, policiesOf, REGION } from '../support/deployed';
import { type Call, type Fault, startFaultProxy } from '../support/fault-proxy';
import { type IamRequest, requestsOf, TLS, type World } from '../support/iam-requests';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type ByService, byServices, trusting } from '../support/service-requests';
import { wholeApp } from '../support/whole-app';

const postgres = usePostgres();
const moto = useMoto();
let all: Deployed[];
let world: World;
let s3: S3Client;
let refresh: () => Promise<void>;

/** Who asked what, as IAM sees it. */
interface Asked extends IamRequest {
  readonly by: string;
  readonly role: string;
  /** In the session of one tenant. */
  readonly tenant?: string;
}
const asked: Asked[] = [];
/** Names of the calls that were made, of all functions. */
const made = new Set<string>();

const config = () => ({
  region: REGION,
  endpoint: moto().endpoint,
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
});

beforeAll(async () => {
  s3 = new S3Client(config());
  const kms = new KMSClient(config());
  const secrets = new SecretsManagerClient(config());
  const resources = wholeApp();
  const names: Record<string, string> = {};
  for (const [id, { Type }] of Object.entries<{ Type: string }>(resources)) {
    if (Type === 'AWS::KMS::Key') names[id] = (await kms.send(new CreateKeyCommand({}))).KeyMetadata!.KeyId!;
    if (Type !== 'AWS::SecretsManager::Secret') continue;
    const content = id.startsWith('Elsewhere')
      ? {
          accessKeyId: 'AKIAELSEWHERE',
          secretAccessKey: 'not-a-secret',
          archiveKey: randomBytes(32).toString('base64'),
        }
      : { username: 'postgres', password: 'any' };
    const secret = await secrets.send(
      new CreateSecretCommand({ Name: id, SecretString: JSON.stringify(content) }),
    );
    names[id] = secret.ARN!.slice(secret.ARN!.indexOf(':secret:') + ':secret:'.length);
  }
  all = deploy(resources, names);
  const buckets = all.filter(({ type }) => type === 'AWS::S3::Bucket').map(({ arn }) => arn.split(':::')[1]!);
  for (const Bucket of [...buckets, 'elsewhere'])
    await s3.send(
      new CreateBucketCommand({ Bucket, CreateBucketConfiguration: { LocationConstraint: REGION } }),
    );
  for (const name of ['own_a', 'shared']) {
    await postgres().query(`create database ${name}`);
    // Too much for one part of an upload, and random: it cannot be compressed to less.
    const rows = name === 'own_a' ? 3000 : 1;
    await postgres().query(
      `create table t as select string_agg(md5(random()::text), '') as x from generate_series(1, ${rows}) i, generate_series(1, 200) j group by i`,
      [],
      name,
    );
  }
  const aliases: Record<string, string> = {};
  const tags: Record<string, Record<string, string>> = {};
  const ofTemplate = (type: string, is: (each: Deployed) => boolean) =>
    all.find((each) => each.type === type && is(each))?.properties;
  world = {
    keyOf: (alias) => aliases[alias],
    tagsOf: (key) => tags[key] ?? {},
    keyOfBucket: (name) =>
      ofTemplate('AWS::S3::Bucket', ({ arn }) => arn === `arn:aws:s3:::${name}`)?.BucketEncryption
        ?.ServerSideEncryptionConfiguration[0].ServerSideEncryptionByDefault.KMSMasterKeyID,
    keyOfSecret: (arn) => ofTemplate('AWS::SecretsManager::Secret', (each) => each.arn === arn)?.KmsKeyId,
  };
  refresh = async () => {
    for (const { AliasName, TargetKeyId } of (await kms.send(new ListAliasesCommand({}))).Aliases ?? []) {
      if (!TargetKeyId || !AliasName!.startsWith('alias/sovereign')) continue;
      const arn = `arn:aws:kms:${REGION}:${ACCOUNT}:key/${TargetKeyId}`;
      aliases[AliasName!] = arn;
      const { Tags = [] } = await kms.send(new ListResourceTagsCommand({ KeyId: TargetKeyId }));
      tags[arn] = Object.fromEntries(Tags.map(({ TagKey, TagValue }) => [TagKey!, TagValue!]));
    }
  };
});

/** Runs a function as the template has it, and notes what it asks of AWS. */
async function run(
  id: RegExp,
  bundle: string,
  event: Record<string, unknown>,
  options: {
    change?: Record<string, string>;
    fault?: (call: Call) => Fault | undefined;
    fails?: RegExp;
  } = {},
): Promise<Record<string, unknown>> {
  const { properties } = one(all, 'AWS::Lambda::Function', id);
  const proxy = await startFaultProxy(moto().endpoint);
  if (options.fault) proxy.fault = options.fault;
  const environment: Record<string, string> = {
    ...properties.Environment.Variables,
    ...moto().environment,
    AWS_ENDPOINT_URL: proxy.endpoint,
    // The server is ours; everything else is as deployed.
    ...(properties.Environment.Variables.SOVEREIGN_SERVER
      ? { SOVEREIGN_SERVER: `postgres://postgres@127.0.0.1:${postgres().port}?sslmode=disable` }
      : {}),
    ...options.change,
  };
  const { result, error, log } = await invoke(bundle, event, environment);
  await proxy.stop();
  if (options.fails) expect(error?.message).toMatch(options.fails);
  else if (error) throw new Error(`${error.message}\n${log}`);
  await refresh();
  const by = `${bundle} ${id.source}`;
  for (const call of proxy.calls) {
    made.add(call.name.split(' ')[1]!);
    const session = !/Credential=AKIAIOSFODNN7EXAMPLE\//.test(call.headers.authorization ?? '');
    const who = session
      ? { role: environment.SOVEREIGN_TENANT_ROLE_ARN!, tenant: String(event.tenant) }
      : { role: properties.Role as string };
    for (const request of requestsOf(call, world)) asked.push({ by, ...who, ...request });
  }
  return result as Record<string, unknown>;
}

/** The policy of what is asked for, where it has one. */
function policyOf(resource: string): object | undefined {
  const found = all.find(({ arn }) => arn === resource);
  if (resource.includes(':kms:'))
    return (
      found?.properties.KeyPolicy ?? {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` },
            Action: 'kms:*',
            Resource: '*',
          },
        ],
      }
    );
  if (resource.startsWith('arn:aws:s3:::')) {
    const [name] = resource.slice('arn:aws:s3:::'.length).split('/');
    return all.find(({ type, properties }) => type === 'AWS::S3::BucketPolicy' && properties.Bucket === name)
      ?.properties.PolicyDocument;
  }
  if (found?.type === 'AWS::SNS::Topic')
    return all.find(
      ({ type, properties }) => type === 'AWS::SNS::TopicPolicy' && properties.Topics.includes(resource),
    )?.properties.PolicyDocument;
  if (found?.type === 'AWS::Lambda::Function')
    return {
      Version: '2012-10-17',
      Statement: all
        .filter(
          ({ type, properties }) =>
            type === 'AWS::Lambda::Permission' && properties.FunctionName === resource,
        )
        .map(({ properties }) => ({
          Effect: 'Allow',
          Principal: { Service: properties.Principal },
          Action: properties.Action,
          Resource: resource,
          Condition: { ArnLike: { 'AWS:SourceArn': properties.SourceArn } },
        })),
    };
  return found?.type === 'AWS::IAM::Role' ? policiesOf(all, resource).trust : undefined;
}

function judge({ action, resource, context, role, tenant }: Asked): Promise<string> {
  return decide(
    {
      action,
      resource,
      principal: role,
      context: { ...context, ...(tenant === undefined ? {} : { 'aws:PrincipalTag/tenant': tenant }) },
    },
    { identity: policiesOf(all, role).identity, resourcePolicy: policyOf(resource) },
  );
}

function judgeService({ action, resource, context, role, service }: ByService): Promise<string> {
  return decide(
    { action, resource, principal: role ?? service!, context },
    { identity: role ? policiesOf(all, role).identity : [], resourcePolicy: policyOf(resource) },
  );
}

const distinct = () => [...new Map(asked.map((each) => [JSON.stringify(each), each])).values()];

/** No role can be held to one tenant's open uploads, so none has this; the code goes on without. */
const spared = ({ action, tenant }: Asked) =>
  action === 's3:ListBucketMultipartUploads' && tenant !== undefined;

const ownBucket = () => one(all, 'AWS::S3::Bucket', /^Own/).arn.split(':::')[1]!;
/** All that concerns the tenants that have keys of their own. */
async function ownTenants(): Promise<void> {
  const maker = /^OwnKeyMaker/;
  let refusals = 1;
  const fault = ({ name }: Call): Fault | undefined =>
    // So it goes until the tags of a new key count.
    name === 'KMS EnableKeyRotation' && refusals-- > 0
      ? { status: 400, code: 'AccessDeniedException' }
      : undefined;
  await run(maker, 'tenant-keys', { tenant: 'own_a' }, { fault });
  expect(refusals).toBeLessThan(0);
  await run(maker, 'tenant-keys', { tenant: 'own_a', renew: true });
  const elsewhere = JSON.stringify([
    {
      url: `s3://elsewhere/?region=fr-par&country=FR&endpoint=${moto().endpoint}&path-style=true&write-only=true`,
      secretArn: one(all, 'AWS::SecretsManager::Secret', /^Elsewhere/).arn,
    },
  ]);
  const worker = (event: Record<string, unknown>) =>
    run(/^OwnWorker/, 'worker', event, { change: { SOVEREIGN_EXTERNAL_STORES: elsewhere } });
  await worker({ action: 'dump', tenant: 'own_a' });
  await worker({ action: 'list', tenant: 'own_a' });
  await worker({ action: 'restore', tenant: 'own_a', confirm: 'own_a' });
}

/** The functions around the worker, in a run and in a drill. */
async function runAndDrill(): Promise<void> {
  const Bucket = ownBucket();
  const put = (Key: string, body: unknown) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: JSON.stringify(body) }));
  await run(/^DrillAge/, 'drill-age', {});
  await run(/^OwnDiscover/, 'discover', { run: 'r1' });
  const chosen = await run(/^DrillSample/, 'sample', {
    run: 'r1',
    bucket: Bucket,
    key: 'runs/r1/tenants.json',
  });
  const outcome = async (name: string, status: string, rest: object = {}) => {
    const Key = `runs/results/${name}/manifest.json`;
    const results = [{ Key: `runs/results/${name}/0.json` }];
    await put(results[0]!.Key, [{ Input: '{"tenant":"own_a"}', Status: status, ...rest }]);
    await put(Key, { DestinationBucket: Bucket, ResultFiles: { [status]: results } });
    return { run: name, ...chosen, results: { ResultWriterDetails: { Bucket, Key } } };
  };
  const logs = new CloudWatchLogsClient(config());
  const logGroupName = one(all, 'AWS::Logs::LogGroup', /^OwnLargeTenants/).id;
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName: 'worker/worker/0123' }));
  const Cause = JSON.stringify({
    TaskArn: `arn:aws:ecs:${REGION}:${ACCOUNT}:task/c/0123`,
    Containers: [{ Name: 'worker', ExitCode: 3 }],
  });
  await run(/^OwnReport/, 'report', await outcome('r1', 'FAILED', { Cause }), { fails: /exit code 3/ });
  await run(/^DrillReport/, 'report', await outcome('r2', 'SUCCEEDED'));
}

/** Tenants under one key, on a server that is logged in to with IAM. */
async function sharedKey(): Promise<void> {
  const worker = (action: string) => run(/^SharedWorker/, 'worker', { action, tenant: 'shared' });
  await worker('dump');
  await worker('dump');
  await worker('drill');
  await run(/^SharedPrune/, 'prune', {}, { change: { SOVEREIGN_RETENTION: '{"keepDays":0}' } });
}

test('every function does all it has to', async () => {
  await Promise.all([ownTenants(), runAndDrill(), sharedKey()]);
  expect(new Set(asked.map(({ by }) => by)).size).toBe(9);
}, 60_000);

/** What is refused of what has to be allowed. */
async function refusedOf(requests: readonly Asked[]): Promise<unknown[]> {
  const refused: unknown[] = [];
  for (const each of requests) {
    const said = await judge(each);
    if (said !== 'Allowed') refused.push({ said, ...each });
  }
  return refused;
}

test('and is allowed to', async () => {
  expect(await refusedOf(distinct().filter((each) => !spared(each)))).toEqual([]);
});

test('with the rights of one tenant, nothing of its neighbour; with those of no tenant, nothing at all', async () => {
  const session = distinct().filter(({ tenant }) => tenant !== undefined);
  expect(session.length).toBeGreaterThan(20);
  const allowed: unknown[] = [];
  for (const each of session) {
    for (const tenant of ['own_b', 'own_', 'own_a/', '*', ''])
      if ((await judge({ ...each, tenant })) === 'Allowed') allowed.push({ ...each, tenant });
    const worker = one(all, 'AWS::Lambda::Function', /^OwnWorker/).properties.Role;
    if ((await judge({ ...each, role: worker, tenant: undefined })) === 'Allowed') allowed.push(each);
  }
  expect(allowed).toEqual([]);
});

/** In the bundles, and never called by functions. */
const NOT_CALLED: Readonly<Record<string, string>> = {
  AssumeRoleWithWebIdentity: 'a way of the SDK to get credentials',
  CreateOAuth2Token: 'a way of the SDK to get credentials',
  CreateToken: 'a way of the SDK to get credentials',
  GetRoleCredentials: 'a way of the SDK to get credentials',
  GetCredentialsForIdentity: 'a way of the SDK to get credentials',
  GetId: 'a way of the SDK to get credentials',
  Encrypt: 'the keyring has one key only, which made the data key',
  PutObjectLegalHold: 'the command line holds archives, with rights of its own',
  AbortMultipartUpload: 'only of uploads that failed; judged below',
  ListParts: 'only of copies that the command line makes',
  DeleteObject: 'of SQL Server; judged below',
  HeadBucket: 'of SQL Server; judged below',
};
const commandsOf = (bundle: string): string[] => {
  const folder = join(__dirname, '../../dist/lambda', bundle);
  const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.mjs'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
  const found = code.matchAll(/new (\w+?)Command\d*\(|createPaginator\(\w+Client,(\w+?)Command\d*,/g);
  return [...new Set([...found].map(([, sent, listed]) => (sent ?? listed)!))];
};

test('no function has a call in it that was not made here', () => {
  const bundles = ['discover', 'drill-age', 'prune', 'report', 'sample', 'tenant-keys', 'worker'];
  // The SDK's client for KMS comes whole into the worker, with the pages of all lists that it knows.
  const unseen = bundles
    .flatMap(commandsOf)
    .filter(
      (name) =>
        !made.has(name) &&
        !(name in NOT_CALLED) &&
        !/^(List(Aliases|Grants|Key|ResourceTags|Retir)|DescribeCustom)/.test(name),
    );
  expect([...new Set(unseen)]).toEqual([]);
});

/** Calls that nothing here makes happen, as the code would make them. */
const as = (
  by: string,
  role: string,
  calls: readonly (readonly [name: string, path: string, tenant?: string])[],
): Asked[] =>
  calls.flatMap(([name, path, tenant]) =>
    requestsOf({ name, path, headers: {}, body: '' }, world).map((each) => ({ by, role, tenant, ...each })),
  );

test('uploads that are given up, and backups of SQL Server on their way', async () => {
  const staging = one(all, 'AWS::S3::Bucket', /^Staging/).arn.split(':::')[1]!;
  const worker = one(all, 'AWS::Lambda::Function', /^StagedWorker/).properties.Role;
  const object = `/${staging}/stage/0123/dump/a.bak`;
  const requests = [
    ...as('worker', one(all, 'AWS::IAM::Role', /^OwnTenantRole/).arn, [
      ['S3 AbortMultipartUpload', `/${ownBucket()}/archives/eu/own_a/x/data?uploadId=1`, 'own_a'],
      ['S3 DeleteObject', `/${ownBucket()}/archives/eu/own_a/x/data`, 'own_a'],
    ]),
    ...as('worker of SQL Server', worker, [
      ['S3 HeadBucket', `/${staging}`],
      ['S3 ListObjectsV2', `/${staging}?prefix=stage/0123/dump/`],
      ['S3 ListMultipartUploads', `/${staging}?uploads`],
      ['S3 HeadObject', object],
      ['S3 GetObject', object],
      ['S3 PutObject', object],
      ['S3 CreateMultipartUpload', object],
      ['S3 UploadPart', object],
      ['S3 CompleteMultipartUpload', object],
      ['S3 AbortMultipartUpload', object],
      ['S3 DeleteObject', object],
    ]),
    ...as('RDS', one(all, 'AWS::IAM::Role', /^StagingSqlServerBackupRole/).arn, [
      ['S3 HeadBucket', `/${staging}`],
      ['S3 GetObject', object],
      ['S3 UploadPart', object],
      ['S3 ListParts', object],
      ['S3 AbortMultipartUpload', object],
    ]),
  ];
  // What no refused call would show: a login by a token, and a lock that S3 leaves out of its answer.
  const silent = [
    [/^SharedWorker/, 'rds-db:connect', `arn:aws:rds-db:${REGION}:${ACCOUNT}:dbuser:cluster-ABC/postgres`],
    ...['s3:GetObjectRetention', 's3:GetObjectLegalHold'].map(
      (action) => [/^OwnPrune/, action, `arn:aws:s3:::${ownBucket()}/archives/eu/own_a/x/data`] as const,
    ),
  ] as const;
  for (const [id, action, resource] of silent) {
    const role = one(all, 'AWS::Lambda::Function', id).properties.Role;
    const context = action.startsWith('s3:') ? TLS : {};
    requests.push({ by: String(id), role, action, resource, context });
  }
  expect(await refusedOf(requests)).toEqual([]);
});

test('services may do what the template has them do: logs, networks, state machines, schedules, tasks, rules, alarms', async () => {
  const requests = [...byServices(all), ...trusting(all)];
  const refused: unknown[] = [];
  for (const each of requests) {
    const said = await judgeService(each);
    if (said !== 'Allowed') refused.push({ said, ...each });
  }
  expect(requests.length).toBeGreaterThan(300);
  expect(refused).toEqual([]);
});

test('nobody reads or writes archives but a tenant in its session; the pruning sees and deletes them', async () => {
  const allowed: string[] = [];
  for (const { arn: role, type, id } of all) {
    if (type !== 'AWS::IAM::Role') continue;
    for (const action of ['GetObject', 'PutObject', 'DeleteObject']) {
      const resource = `arn:aws:s3:::${ownBucket()}/archives/eu/own_a/x/data`;
      const context = TLS;
      const said = await judge({ by: id, role, action: `s3:${action}`, resource, context });
      if (said === 'Allowed') allowed.push(`${id.replace(/[0-9A-F]{8}$/, '')} ${action}`);
    }
  }
  expect(allowed).toEqual(['OwnPruneOwnRole GetObject', 'OwnPruneOwnRole DeleteObject']);
});

/** Action of each command, and the resources that a function asks it of, by the construct that the function is in. */
type Table = Readonly<Record<string, readonly (readonly [id: RegExp, action: string, resource: string])[]>>;
const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const TEST = 'awsbackup-restore-test-0123';
const survey = (action: string, resource = '*') => [[/^WatchSurvey/, action, resource]] as const;
const CALLS: Readonly<Record<string, Table>> = {
  survey: {
    ListBackupJobs: survey('backup:ListBackupJobs'),
    ListCopyJobs: survey('backup:ListCopyJobs'),
    ListRestoreJobs: survey('backup:ListRestoreJobs'),
    ListRecoveryPointsByBackupVault: survey(
      'backup:ListRecoveryPointsByBackupVault',
      arn('backup', 'backup-vault:ours'),
    ),
    ListRecoveryPointsByResource: survey('backup:ListRecoveryPointsByResource'),
    DescribeInstances: survey('ec2:DescribeInstances'),
    DescribeSnapshots: survey('ec2:DescribeSnapshots'),
    DescribeDBClusters: survey('rds:DescribeDBClusters', arn('rds', 'cluster:*')),
    DescribeDBInstances: survey('rds:DescribeDBInstances', arn('rds', 'db:*')),
    GetResources: survey('tag:GetResources'),
  },
  'validate-restore': {
    DescribeRestoreJob: [[/^Tests.*Validation/, 'backup:DescribeRestoreJob', '*']],
    PutRestoreValidationResult: [[/^Tests.*Validation/, 'backup:PutRestoreValidationResult', '*']],
    DescribeInstances: [[/^TestsInstances/, 'ec2:DescribeInstances', '*']],
    DescribeInstanceStatus: [[/^TestsInstances/, 'ec2:DescribeInstanceStatus', '*']],
    Invoke: [[/^TestsFiles/, 'lambda:InvokeFunction', arn('lambda', 'function:judge')]],
    DescribeTable: [
      [/^TestsTables/, 'dynamodb:DescribeTable', arn('dynamodb', `table/${TEST}`)],
      [/^TestsTables/, 'dynamodb:DescribeTable', arn('dynamodb', 'table/orders')],
    ],
    Scan: [[/^TestsTables/, 'dynamodb:Scan', arn('dynamodb', `table/${TEST}`)]],
    DescribeDBInstances: [[/^TestsDatabases/, 'rds:DescribeDBInstances', arn('rds', `db:${TEST}`)]],
    // Of Aurora clusters, which databaseAnswers() does not take.
    DescribeDBClusters: [],
    GetSecretValue: [[/^TestsDatabases/, 'secretsmanager:GetSecretValue', 'RestoredLogin']],
    ListObjectsV2: [[/^TestsBuckets/, 's3:ListBucket', `arn:aws:s3:::${TEST}`]],
    ListObjectVersions: [[/^TestsBuckets/, 's3:ListBucketVersions', 'arn:aws:s3:::orders']],
    GetObject: [
      [/^TestsBuckets/, 's3:GetObject', `arn:aws:s3:::${TEST}/a`],
      [/^TestsBuckets/, 's3:GetObjectVersion', 'arn:aws:s3:::orders/a'],
    ],
  },
};

test.each(Object.entries(CALLS))('every command in the bundle of %s', async (bundle, table) => {
  const commands = commandsOf(bundle).filter((name) => !(name in NOT_CALLED) && name !== 'AssumeRole');
  expect(Object.keys(table).sort()).toEqual(commands.sort());
  const functions = all.filter(({ type }) => type === 'AWS::Lambda::Function');
  const requests = Object.values(table).flatMap((rows) =>
    rows.flatMap(([id, action, resource]) => {
      const asking = functions.filter((each) => id.test(each.id));
      expect(asking).not.toEqual([]);
      const named =
        resource === 'RestoredLogin'
          ? one(all, 'AWS::SecretsManager::Secret', /^RestoredLogin/).arn
          : resource;
      return asking.map(({ properties }) => ({
        by: bundle,
        role: properties.Role,
        action,
        resource: named,
        context: {},
      }));
    }),
  );
  expect(await refusedOf(requests)).toEqual([]);
});
