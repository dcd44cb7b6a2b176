// Each way in which the constructs can be told to reach AWS, in one stack.
import { Size } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import {
  BackupRule,
  BackupWatch,
  DatabaseEngine,
  DatabaseServer,
  ExternalStore,
  InstanceSnapshots,
  PrivacyRegime,
  RegimeBackupPlan,
  RegimeVault,
  ResidencyWatch,
  ResourceType,
  RestoreTestingPlan,
  RestoreValidator,
  SqlServerStaging,
  TenantBackups,
  TenantDrill,
  TenantKeys,
  TenantSource,
} from 'cdk-sovereign-backup';
import { appWith, stackIn } from '../synth';
import { ACCOUNT, REGION } from './deployed';

/** A stack of all that runs: functions, tasks, state machines, rules and alarms; its resources. */
export function wholeApp() {
  const env = { account: ACCOUNT, region: REGION };
  const stack = stackIn(REGION, appWith(), 'Stack', { env });
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: [`${REGION}a`],
    privateSubnetIds: ['subnet-0123456789abcdef0'],
    privateSubnetRouteTableIds: ['rtb-0123456789abcdef0'],
  });
  const encryptionKey = new Key(stack, 'SecretsKey');
  const own = new TenantBackups(stack, 'Own', {
    source: TenantSource.discover(
      DatabaseServer.fromEndpoint({
        host: 'db.internal',
        secret: new Secret(stack, 'Login', { encryptionKey }),
      }),
      'own\\_%',
    ),
    keys: TenantKeys.perTenant(),
    vpc,
    largeTenants: { threshold: Size.gibibytes(1) },
    externalStores: [
      ExternalStore.s3Compatible({
        endpoint: 'https://s3.fr-par.scw.cloud',
        bucket: 'elsewhere',
        region: 'fr-par',
        country: 'FR',
        credentials: new Secret(stack, 'Elsewhere', { encryptionKey }),
      }),
    ],
  });
  new TenantDrill(stack, 'Drill', { backups: own });
  new TenantBackups(stack, 'Shared', {
    source: TenantSource.list(
      DatabaseServer.fromEndpoint({ host: 'db.internal', user: 'postgres', iamResourceId: 'cluster-ABC' }),
      [{ tenant: 'shared' }],
    ),
  });
  new TenantBackups(stack, 'Staged', {
    source: TenantSource.discover(
      DatabaseServer.fromEndpoint({
        host: 'mssql.internal',
        engine: DatabaseEngine.SQL_SERVER,
        secret: new Secret(stack, 'MssqlLogin'),
        staging: new SqlServerStaging(stack, 'Staging'),
      }),
      'x%',
    ),
  });
  const vault = new RegimeVault(stack, 'Vault', { vaultName: 'ours' });
  const plan = new RegimeBackupPlan(stack, 'Plan', {
    vault,
    copies: [RegimeVault.fromAttributes(stack, 'Away', { vaultName: 'copies', region: 'eu-west-1' })],
    rules: [BackupRule.hourly(), BackupRule.continuous()],
  });
  plan.protect('Tagged', { tags: { backup: 'on' } });
  const drills = new RestoreTestingPlan(stack, 'Tests', { vaults: [vault] });
  const restored = (
    name: string,
    resourceType: ResourceType,
    validator: RestoreValidator,
    resources?: string[],
  ) => drills.addSelection(name, { resourceType, resources, validators: [validator], vpc });
  const judge = lambda.Function.fromFunctionArn(
    stack,
    'Judge',
    `arn:aws:lambda:${REGION}:${ACCOUNT}:function:judge`,
  );
  restored('Instances', ResourceType.EC2, RestoreValidator.instanceBoots());
  restored('Files', ResourceType.EFS, RestoreValidator.judgedBy(judge));
  restored(
    'Tables',
    ResourceType.DYNAMODB,
    RestoreValidator.hasItems({ shareOfSource: 0.5, keys: [encryptionKey] }),
  );
  const credentials = new Secret(stack, 'RestoredLogin', { encryptionKey });
  restored(
    'Databases',
    ResourceType.RDS,
    RestoreValidator.databaseAnswers({ credentials, databaseName: 'app' }),
  );
  restored('Buckets', ResourceType.S3, RestoreValidator.objectsMatch({ keys: [encryptionKey] }), [
    'arn:aws:s3:::orders',
  ]);
  new ResidencyWatch(stack, 'Leaving', { regime: PrivacyRegime.EU });
  new BackupWatch(stack, 'Watch', {
    // One that somebody else has made, without a policy.
    topic: new Topic(stack, 'Team'),
    regime: PrivacyRegime.EU,
    vaults: [vault],
    plans: [plan],
    snapshots: [new InstanceSnapshots(stack, 'Snapshots', { targetTags: { backup: 'on' } })],
    drills: [drills],
  });
  return Template.fromStack(stack).toJSON().Resources as Record<
    string,
    { readonly Type: string; readonly Properties?: Record<string, unknown> }
  >;
}
