/** What the examples of the documents take for granted: everything that they name and do not make. */
import { type App, SecretValue, type Stack } from 'aws-cdk-lib';
import { BackupVault } from 'aws-cdk-lib/aws-backup';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { ApiDestination, Authorization, Connection, EventBus, type IEventBus } from 'aws-cdk-lib/aws-events';
import { type IRole, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Code, Function as Fn, Runtime } from 'aws-cdk-lib/aws-lambda';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
} from 'aws-cdk-lib/aws-rds';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import * as lib from 'cdk-sovereign-backup';
import { Construct } from 'constructs';
import { stackIn } from '../synth';

class Shop extends Construct {
  public readonly scratch = new Bucket(this, 'Scratch', { versioned: true });
  public readonly files = new Bucket(this, 'Files', { versioned: true });
}

export interface Given {
  readonly account: string;
  readonly app: App;
  readonly archive: lib.IRegimeVault;
  /** Apart from what an example makes, which has names of its own. */
  readonly at: Construct;
  readonly backupVault: BackupVault;
  readonly bucket: Bucket;
  readonly bunkerStack: Stack;
  readonly cluster: DatabaseCluster;
  readonly drills: lib.RestoreTestingPlan;
  readonly exceptions: lib.TransferException[];
  readonly gapped: lib.AirGappedVault;
  readonly key: Key;
  readonly malwareScanRole: IRole;
  readonly pager: ApiDestination;
  readonly plan: lib.RegimeBackupPlan;
  readonly secret: ISecret;
  readonly securityAccountBus: IEventBus;
  readonly shop: Shop;
  readonly snapshots: lib.InstanceSnapshots;
  readonly source: lib.TenantSource;
  readonly stack: Stack;
  readonly tenants: lib.TenantBackups;
  readonly territories: lib.Territory[];
  readonly tickets: Fn;
  readonly topic: Topic;
  readonly vault: lib.RegimeVault;
  readonly vpc: Vpc;
  readonly watch: lib.BackupWatch;
}

/** In an account and a region of the EU; each is made when an example asks for it. */
export function given(app: App): Given {
  const makers: { readonly [Name in keyof Given]: () => Given[Name] } = {
    account: () => '111111111111',
    app: () => app,
    at: () => new Construct(proxy.stack, 'Given'),
    archive: () =>
      lib.RegimeVault.fromAttributes(proxy.at, 'Archive', { vaultName: 'archive', region: 'eu-west-1' }),
    backupVault: () => new BackupVault(proxy.at, 'Plain'),
    bucket: () => new Bucket(proxy.at, 'Bucket'),
    bunkerStack: () =>
      stackIn('eu-central-1', app, 'Bunker', { env: { account: '222222222222', region: 'eu-central-1' } }),
    cluster: () =>
      new DatabaseCluster(proxy.at, 'Cluster', {
        engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_6 }),
        writer: ClusterInstance.serverlessV2('Writer'),
        vpc: proxy.vpc,
        storageEncrypted: true,
      }),
    drills: () => {
      const drills = new lib.RestoreTestingPlan(proxy.at, 'Drills', { vaults: [proxy.vault] });
      drills.addSelection('Tables', {
        resourceType: lib.ResourceType.DYNAMODB,
        validators: [lib.RestoreValidator.hasItems()],
      });
      return drills;
    },
    exceptions: () => [],
    gapped: () =>
      new lib.AirGappedVault(proxy.at, 'Gapped', {
        irreversibleMinRetention: lib.BackupRule.daily().props.retention!,
        irreversibleMaxRetention: lib.BackupRule.daily().props.retention!,
      }),
    key: () => new Key(proxy.at, 'Key'),
    malwareScanRole: () =>
      new Role(proxy.at, 'Scanner', {
        assumedBy: new ServicePrincipal('malware-protection.guardduty.amazonaws.com'),
      }),
    pager: () => {
      const authorization = Authorization.apiKey('key', SecretValue.secretsManager('pager'));
      const connection = new Connection(proxy.at, 'Connection', { authorization });
      return new ApiDestination(proxy.at, 'Pager', { connection, endpoint: 'https://example.com/' });
    },
    plan: () => new lib.RegimeBackupPlan(proxy.at, 'Plan', { vault: proxy.vault, copies: [proxy.archive] }),
    secret: () => Secret.fromSecretNameV2(proxy.at, 'Secret', 'drills'),
    securityAccountBus: () =>
      EventBus.fromEventBusArn(
        proxy.at,
        'Bus',
        'arn:aws:events:eu-central-1:222222222222:event-bus/security',
      ),
    shop: () => new Shop(proxy.at, 'Shop'),
    snapshots: () => new lib.InstanceSnapshots(proxy.at, 'Snapshots', { targetTags: { backup: 'hourly' } }),
    source: () =>
      lib.TenantSource.discover(
        lib.DatabaseServer.fromEndpoint({ host: 'db.internal', secret: proxy.secret }),
        '%',
      ),
    stack: () => stackIn('eu-central-1', app),
    tenants: () => new lib.TenantBackups(proxy.at, 'Tenants', { source: proxy.source }),
    territories: () => [{ regime: lib.PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] }],
    tickets: () =>
      new Fn(proxy.at, 'Tickets', {
        code: Code.fromInline('//'),
        handler: 'x.y',
        runtime: Runtime.NODEJS_LATEST,
      }),
    topic: () => new Topic(proxy.at, 'Topic'),
    vault: () => new lib.RegimeVault(proxy.at, 'Vault', { copyAccounts: ['222222222222'] }),
    vpc: () => new Vpc(proxy.at, 'Vpc'),
    watch: () =>
      new lib.BackupWatch(proxy.at, 'Watch', { regime: lib.PrivacyRegime.EU, vaults: [proxy.vault] }),
  };
  const made = new Map<string, unknown>();
  const proxy = new Proxy({} as Given, {
    get: (_, name: keyof Given) => {
      if (!made.has(name)) made.set(name, makers[name]());
      return made.get(name);
    },
  });
  return proxy;
}
