import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { invoke } from '../support/invoke';
import { useMoto } from '../support/moto';

const moto = useMoto();
const bucket = 'results';
let s3: S3Client;

const place = () => ({
  endpoint: moto().endpoint,
  credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' },
});
beforeAll(async () => {
  s3 = new S3Client({ region: 'us-east-1', ...place() });
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
});

const put = (Key: string, value: unknown) =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: JSON.stringify(value) }));

const execution = (tenant: string, rest: object) => ({
  ExecutionArn: `arn:aws:states:eu-central-1:111111111111:execution:m/${tenant}`,
  Input: JSON.stringify({ tenant, database: tenant }),
  ...rest,
});
const done = (tenant: string) => execution(tenant, { Status: 'SUCCEEDED', Output: '{}' });
const broken = (tenant: string) =>
  execution(tenant, {
    Status: 'FAILED',
    Error: 'TenantOperationError',
    Cause: JSON.stringify({
      errorType: 'TenantOperationError',
      errorMessage: `${tenant}: dump: disk on fire`,
    }),
  });

let runs = 0;
async function report(
  tenants: string[],
  succeeded: object[],
  failed: object[],
  pending: object[] = [],
  environment: Record<string, string> = {},
) {
  runs += 1;
  const run = `run-${runs}`;
  await put(
    `runs/${run}/tenants.json`,
    tenants.map((tenant) => ({ tenant, database: tenant })),
  );
  const files = { SUCCEEDED: succeeded, FAILED: failed, PENDING: pending };
  const listed: Record<string, object[]> = {};
  for (const [status, executions] of Object.entries(files)) {
    const Key = `results/${run}/${status}_0.json`;
    listed[status] = executions.length > 0 ? [{ Key, Size: 1 }] : [];
    if (executions.length > 0) await put(Key, executions);
  }
  await put(`results/${run}/manifest.json`, {
    DestinationBucket: bucket,
    MapRunArn: 'arn:aws:states:eu-central-1:111111111111:mapRun:m/x:y',
    ResultFiles: listed,
  });
  return invoke(
    'report',
    {
      run,
      bucket,
      key: `runs/${run}/tenants.json`,
      count: tenants.length,
      results: { ResultWriterDetails: { Bucket: bucket, Key: `results/${run}/manifest.json` } },
    },
    { ...moto().environment, SOVEREIGN_REGIME: 'eu', ...environment },
  );
}

const metric = (records: Record<string, unknown>[], name: string) =>
  records.find((record) => '_aws' in record && name in record);

test('all succeeded: the run is fine, and its figures are metrics of the regime', async () => {
  const { result, error, records } = await report(['a', "o'brien"], [done('a'), done("o'brien")], []);
  expect(error).toBeUndefined();
  expect(result).toMatchObject({ tenants: 2, succeeded: 2 });
  expect(metric(records, 'TenantsSucceeded')).toMatchObject({
    regime: 'eu',
    TenantsExpected: 2,
    TenantsSucceeded: 2,
    TenantsFailed: 0,
    TenantsMissing: 0,
  });
});

test('a failed, a pending and a never begun tenant each fail the run by name', async () => {
  const { error, records } = await report(
    ['a', 'b', 'c', 'd'],
    [done('a')],
    [broken('b')],
    [execution('c', { Status: 'ABORTED' })],
  );
  expect(error?.message).toMatch(
    /1 of 4 tenants succeeded; without: "b" \(b: dump: disk on fire\), "c" \(ABORTED\), "d" \(never begun\)/,
  );
  expect(metric(records, 'TenantsFailed')).toMatchObject({
    TenantsSucceeded: 1,
    TenantsFailed: 2,
    TenantsMissing: 1,
  });
  expect(records).toContainEqual(
    expect.objectContaining({ level: 'ERROR', tenant: 'b', cause: 'b: dump: disk on fire' }),
  );
});

test('a task that failed, or never ran, is told with its exit code and its reason', async () => {
  const ended = (tenant: string, task: object) =>
    execution(tenant, {
      Status: 'FAILED',
      Error: 'States.TaskFailed',
      Cause: JSON.stringify({
        TaskArn: `arn:aws:ecs:eu-central-1:111111111111:task/c/${tenant}1`,
        StopCode: 'EssentialContainerExited',
        ...task,
      }),
    });
  const failed = ended('a', {
    Containers: [{ Name: 'worker', ExitCode: 137, Reason: 'OutOfMemoryError: killed' }],
    StoppedReason: 'Essential container in task exited',
  });
  const neverRan = ended('b', {
    Containers: [{ Name: 'worker' }],
    StoppedReason: 'CannotPullContainerError: timeout',
  });
  const refused = ended('c', { Containers: [{ Name: 'worker', ExitCode: 2 }] });
  const words = [
    { message: 'loaded; comparing with the manifest', level: 'INFO' },
    { _aws: { Timestamp: 1 }, TenantDumpFailed: 1 },
  ].map((line) => JSON.stringify(line));
  await logged('worker/worker/a1', words);
  await logged('worker/worker/c1', [...words, 'c: connecting: there is no database "c"\n']);
  const tell = async (environment?: Record<string, string>) =>
    (await report(['a', 'b', 'c'], [], [failed, neverRan, refused], [], environment)).error?.message;
  const ends =
    '"a" (the task ended with exit code 137 (OutOfMemoryError: killed; Essential container in task exited); the log stream worker/worker/a1';
  const rest = '"b" (the task b1 did not run: CannotPullContainerError: timeout)';
  expect(await tell({ SOVEREIGN_TASK_LOG_GROUP: GROUP })).toContain(
    `${ends} ends with: loaded; comparing with the manifest), ${rest}, ` +
      '"c" (the task ended with exit code 2; the log stream worker/worker/c1 ends with: c: connecting: there is no database "c")',
  );
  // A log that cannot be read does not hide who failed.
  expect(await tell({ SOVEREIGN_TASK_LOG_GROUP: 'gone' })).toContain(`${ends} says why), ${rest}`);
});

const GROUP = 'tasks';
async function logged(logStreamName: string, lines: string[]): Promise<void> {
  const client = new CloudWatchLogsClient({ ...place(), region: moto().environment.AWS_REGION! });
  await client.send(new CreateLogGroupCommand({ logGroupName: GROUP })).catch(() => {});
  await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName }));
  const logEvents = lines.map((message, index) => ({ message, timestamp: Date.now() + index }));
  await client.send(new PutLogEventsCommand({ logGroupName: GROUP, logStreamName, logEvents }));
  client.destroy();
}

test('a tenant that failed and then succeeded in a redrive is backed up', async () => {
  const { error } = await report(['a'], [done('a')], [broken('a')]);
  expect(error).toBeUndefined();
});

test('many failures are counted whole and named in part', async () => {
  const names = Array.from({ length: 25 }, (_, index) => `t${index}`);
  const { error } = await report(names, [], names.map(broken));
  expect(error?.message).toMatch(/^run run-\d+: 0 of 25 tenants .* and 15 more, all in the log/);
});

test('results that are missing are an error, not a success', async () => {
  await put('runs/r/tenants.json', [{ tenant: 'a', database: 'a' }]);
  const event = { run: 'r', bucket, key: 'runs/r/tenants.json', count: 1, results: {} };
  expect((await invoke('report', event, moto().environment)).error?.message).toContain(
    'must have a ResultWriter',
  );
  const gone = { ...event, results: { ResultWriterDetails: { Bucket: bucket, Key: 'nowhere' } } };
  expect((await invoke('report', gone, moto().environment)).error?.message).toMatch(
    /reading nowhere failed in s3:\/\/results/,
  );
  expect((await invoke('report', {}, moto().environment)).error?.message).toContain('the report needs');
});
