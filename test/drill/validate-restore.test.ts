// The built function against moto's server and a real PostgreSQL; `aws.ts` says what is faked beyond moto.
import { execFileSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EC2Client, RunInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { CreateDBInstanceCommand, RDSClient } from '@aws-sdk/client-rds';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { useMoto } from '../support/moto';
import { usePostgres } from '../support/postgres';
import { type FakeAws, logOfLastRun, runHandler, startFakeAws } from './aws';

const moto = useMoto();
const password = 'a password that no log may show';
const postgres = usePostgres({ password });
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' };
const sdk = () => ({ region: 'eu-central-1', endpoint: moto().endpoint, credentials });
let aws: FakeAws;
let jobs = 0;

beforeAll(async () => {
  aws = await startFakeAws(moto());
});
afterAll(() => aws.stop());

/** One restore job through the handler; gives what AWS Backup was told, undefined when nothing. */
async function drill(
  check: Record<string, unknown> | Record<string, unknown>[],
  job: Record<string, unknown>,
  options: { seconds?: number; sources?: string[]; environment?: Record<string, string> } = {},
) {
  const restoreJobId = `job-${++jobs}`;
  aws.jobs.set(restoreJobId, { RestoreJobId: restoreJobId, Status: 'COMPLETED', ...job });
  await runHandler(
    { restoreJobId, checks: [check].flat(), sources: options.sources },
    { ...moto().environment, AWS_ENDPOINT_URL: aws.endpoint, DRILL_PLAN: 'weekly', ...options.environment },
    options.seconds,
  );
  return aws.verdicts.get(restoreJobId);
}

const passed = (message: RegExp) => ({
  ValidationStatus: 'SUCCESSFUL',
  ValidationStatusMessage: expect.stringMatching(message),
});
const failed = (message: RegExp) => ({
  ValidationStatus: 'FAILED',
  ValidationStatusMessage: expect.stringMatching(message),
});

describe('the handler', () => {
  const job = { ResourceType: 'EFS', CreatedResourceArn: 'arn:aws:elasticfilesystem:eu-central-1:1:fs/new' };
  const hook = { kind: 'hook', function: 'mine' };

  it('lets a function of the customer judge, and gives it the restored resource', async () => {
    let got: unknown;
    aws.hook = (payload) => {
      got = payload;
      return { answer: { passed: true, message: 'all 3 files are there' } };
    };
    expect(await drill(hook, { ...job, SourceResourceArn: 'arn:source' })).toEqual(
      passed(/^all 3 files are there$/),
    );
    // What CloudWatch makes a metric of, under the one dimension by which the plan's metrics and alarms look.
    expect(logOfLastRun()).toMatch(
      /"Namespace":"SovereignBackup\/Drills","Dimensions":\[\["plan"\]\].*"Name":"Passed".*"plan":"weekly"/,
    );
    expect(got).toMatchObject({ resourceType: 'EFS', arn: job.CreatedResourceArn, sourceArn: 'arn:source' });
  });

  it.each([
    ['says no', { answer: { passed: false, message: 'file 2 is empty' } }, /^file 2 is empty$/],
    ['throws', { answer: { errorMessage: 'boom' }, error: 'Unhandled' }, /mine failed: .*boom/],
    ['answers something else', { answer: { ok: true } }, /answered neither/],
  ])('fails the drill when that function %s', async (_, answer, message) => {
    aws.hook = () => answer;
    expect(await drill(hook, job)).toEqual(failed(message));
  });

  it('fails the drill when one of several checks does, and says which', async () => {
    aws.hook = () => ({ answer: { passed: true } });
    expect(await drill([hook, { kind: 'nonesuch' }], job)).toEqual(
      failed(/could not be checked.*'nonesuch'/),
    );
  });

  it('fails the drill when the job restored nothing', async () => {
    expect(await drill(hook, { ResourceType: 'EFS' })).toEqual(failed(/names no restored resource/));
  });

  it('leaves jobs of other selections, and verdicts already given, alone', async () => {
    const source = { SourceResourceArn: 'arn:theirs' };
    expect(await drill(hook, { ...job, ...source }, { sources: ['arn:mine'] })).toBeUndefined();
    expect(await drill(hook, { ...job, ...source }, { sources: ['arn:theirs'] })).toEqual(passed(/./));
    expect(await drill(hook, { ...job, ValidationStatus: 'FAILED' })).toBeUndefined();
  });
});

describe('instance', () => {
  const job = (id: string) => ({
    ResourceType: 'EC2',
    CreatedResourceArn: `arn:aws:ec2:eu-central-1:111111111111:instance/${id}`,
  });
  let id: string;
  beforeAll(async () => {
    const { Instances } = await new EC2Client(sdk()).send(
      new RunInstancesCommand({
        ImageId: 'ami-12c6146b',
        MinCount: 1,
        MaxCount: 1,
        PrivateIpAddress: '127.0.0.1',
      }),
    );
    id = Instances![0]!.InstanceId!;
  });

  it('passes when the instance runs, passes its status checks and answers', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    const { port } = listener.address() as { port: number };
    expect(await drill({ kind: 'instance', port }, job(id))).toEqual(
      passed(/both status checks and accepts/),
    );
    listener.close();
  });

  it('fails when nothing answers in time', async () => {
    expect(await drill({ kind: 'instance', port: 1 }, job(id), { seconds: 22 })).toEqual(
      failed(/gave up waiting: instance i-\w+ refuses port 1/),
    );
  });

  it('fails when the instance has stopped, and when it is not there', async () => {
    await new EC2Client(sdk()).send(new StopInstancesCommand({ InstanceIds: [id] }));
    expect(await drill({ kind: 'instance' }, job(id))).toEqual(failed(/is stopped: it did not stay up/));
    expect(await drill({ kind: 'instance' }, job('i-00000000000000000'))).toEqual(
      failed(/could not be checked/),
    );
  });
});

describe('database', () => {
  let secret: string;
  let authority: string;
  const job = {
    ResourceType: 'RDS',
    CreatedResourceArn: 'arn:aws:rds:eu-central-1:111111111111:db:awsbackup-restore-test-1',
  };
  const settings = (tables: string[], filledTables: string[] = []) => ({
    kind: 'database',
    secret,
    database: 'shop',
    tables,
    filledTables,
  });
  const trusting = () => ({ environment: { NODE_EXTRA_CA_CERTS: authority } });

  beforeAll(async () => {
    const { folder, port } = postgres();
    const [certificate, key] = [join(folder, 'data/server.crt'), join(folder, 'data/server.key')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        ...subject,
        '-out',
        certificate,
        '-keyout',
        key,
      ],
      { stdio: 'ignore' },
    );
    const { uid, gid } = statSync(join(folder, 'data'));
    for (const file of [certificate, key]) chownSync(file, uid, gid);
    authority = certificate;
    await postgres().query('ALTER SYSTEM SET ssl = on');
    await postgres().query('SELECT pg_reload_conf()');
    await postgres().query('CREATE DATABASE shop');
    await postgres().query('CREATE TABLE orders AS SELECT 1 AS id', [], 'shop');
    await postgres().query('CREATE SCHEMA app', [], 'shop');
    await postgres().query('CREATE TABLE app."Odd ""name" (id int)', [], 'shop');
    aws.database = { host: 'localhost', port };
    await new RDSClient(sdk()).send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: 'awsbackup-restore-test-1',
        Engine: 'postgres',
        DBInstanceClass: 'db.t4g.micro',
        AllocatedStorage: 20,
        MasterUsername: 'app',
        MasterUserPassword: 'x'.repeat(12),
      }),
    );
    const { ARN } = await new SecretsManagerClient(sdk()).send(
      new CreateSecretCommand({
        Name: 'shop',
        SecretString: JSON.stringify({ username: 'postgres', password }),
      }),
    );
    secret = ARN!;
  });

  it('passes when it answers over verified TLS and has the tables', async () => {
    const tables = settings(['orders', 'app.Odd "name'], ['orders']);
    expect(await drill(tables, job, trusting())).toEqual(passed(/has 2 of 2 expected tables/));
    expect(logOfLastRun()).not.toContain(password);
  });

  it('fails when a table is missing or empty', async () => {
    expect(await drill(settings(['invoices']), job, trusting())).toEqual(
      failed(/^table invoices is missing/),
    );
    expect(await drill(settings([], ['app.Odd "name']), job, trusting())).toEqual(failed(/is empty$/));
  });

  it('takes a table name as a name, never as SQL', async () => {
    const hostile = settings(['orders; DROP TABLE orders']);
    expect(await drill(hostile, job, trusting())).toEqual(failed(/is missing/));
    expect(await drill(settings(['orders']), job, trusting())).toEqual(passed(/./));
  });

  it('fails when the server cannot prove who it is', async () => {
    expect(await drill(settings(['orders']), job)).toEqual(
      failed(/does not answer: self-signed certificate/),
    );
  });

  it('fails with the password refused, and shows it nowhere', async () => {
    const { ARN } = await new SecretsManagerClient(sdk()).send(
      new CreateSecretCommand({
        Name: 'wrong',
        SecretString: JSON.stringify({ username: 'postgres', password: 'another secret' }),
      }),
    );
    const verdict = await drill({ ...settings(['orders']), secret: ARN }, job, trusting());
    expect(verdict).toEqual(failed(/password authentication failed/));
    expect(JSON.stringify(verdict) + logOfLastRun()).not.toContain('another secret');
  });

  it('says that a secret which is no JSON is useless, without quoting it', async () => {
    const { ARN } = await new SecretsManagerClient(sdk()).send(
      new CreateSecretCommand({ Name: 'bare', SecretString: 'bare-password' }),
    );
    const verdict = await drill({ ...settings(['orders']), secret: ARN }, job, trusting());
    expect(verdict).toEqual(failed(/must be JSON with username and password/));
    expect(JSON.stringify(verdict) + logOfLastRun()).not.toContain('bare-password');
  });

  it('fails for an engine that it does not speak', async () => {
    await new RDSClient(sdk()).send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: 'awsbackup-restore-test-2',
        Engine: 'mysql',
        DBInstanceClass: 'db.t4g.micro',
        AllocatedStorage: 20,
        MasterUsername: 'app',
        MasterUserPassword: 'x'.repeat(12),
      }),
    );
    const other = { ...job, CreatedResourceArn: job.CreatedResourceArn.replace('test-1', 'test-2') };
    expect(await drill(settings([]), other)).toEqual(failed(/runs mysql; this check speaks PostgreSQL only/));
  });
});

describe('objects', () => {
  const s3 = () => new S3Client({ ...sdk(), forcePathStyle: true });
  const put = (Bucket: string, Key: string, Body: string) =>
    s3().send(new PutObjectCommand({ Bucket, Key, Body }));
  const settings = { kind: 'objects', sample: 10, minimumObjects: 1, compareWithSource: true };
  const job = (restored: string, at?: Date) => ({
    ResourceType: 'S3',
    CreatedResourceArn: `arn:aws:s3:::${restored}`,
    SourceResourceArn: 'arn:aws:s3:::source',
    RecoveryPointCreationDate: at && at.getTime() / 1000,
  });
  let takenAt: Date;

  async function bucket(name: string) {
    const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' as const };
    await s3().send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
  }

  beforeAll(async () => {
    for (const name of ['source', 'good', 'bad', 'empty', 'strange']) await bucket(name);
    await s3().send(
      new PutBucketVersioningCommand({ Bucket: 'source', VersioningConfiguration: { Status: 'Enabled' } }),
    );
    for (const key of ['a', 'ab', 'c']) await put('source', key, `first ${key}`);
    // S3 knows times to the second.
    await sleep(1_100);
    takenAt = new Date();
    await sleep(1_100);
    await put('source', 'a', 'changed since');
    await s3().send(new DeleteObjectCommand({ Bucket: 'source', Key: 'c' }));
    for (const key of ['a', 'ab', 'c']) {
      await put('good', key, `first ${key}`);
      await put('bad', key, key === 'ab' ? 'rotten' : `first ${key}`);
    }
    await put('strange', 'never-seen', 'x');
  });

  it('compares with the versions of the time of the recovery point', async () => {
    expect(await drill(settings, job('good', takenAt))).toEqual(
      passed(/3 of 3 objects read whole, 3 of them equal/),
    );
  });

  it('fails when bytes differ, when there are too few objects, and when nothing can be compared', async () => {
    expect(await drill(settings, job('bad', takenAt))).toEqual(failed(/object ab differs from its source/));
    expect(await drill(settings, job('empty', takenAt))).toEqual(failed(/has 0 objects, at least 1/));
    expect(await drill(settings, job('strange', takenAt))).toEqual(failed(/none of 1 objects has a version/));
  });

  it('only reads when it is told not to compare', async () => {
    const alone = { ...settings, compareWithSource: false };
    expect(await drill(alone, job('strange', takenAt))).toEqual(
      passed(/1 of 1 objects read whole, 0 of them/),
    );
  });
});

describe('items', () => {
  const arn = (name: string) => `arn:aws:dynamodb:eu-central-1:111111111111:table/${name}`;
  const job = {
    ResourceType: 'DynamoDB',
    CreatedResourceArn: arn('restored'),
    SourceResourceArn: arn('live'),
  };

  beforeAll(async () => {
    const dynamodb = new DynamoDBClient(sdk());
    for (const [TableName, count] of [['restored', 4] as const, ['live', 8] as const]) {
      await dynamodb.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        }),
      );
      for (let id = 0; id < count; id++) {
        await dynamodb.send(new PutItemCommand({ TableName, Item: { id: { S: String(id) } } }));
      }
    }
  });

  it.each([
    [{ minimumItems: 4 }, passed(/at least 4 items/)],
    [{ minimumItems: 5 }, failed(/has 4 items, at least 5/)],
    [{ minimumItems: 1, shareOfSource: 0.5 }, passed(/at least 4 items/)],
    [{ minimumItems: 1, shareOfSource: 0.9 }, failed(/has 4 items, at least 8/)],
  ])('counts: %j', async (settings, verdict) => {
    expect(await drill({ kind: 'items', ...settings }, job)).toEqual(verdict);
  });
});
