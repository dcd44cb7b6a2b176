import { Vpc } from 'aws-cdk-lib/aws-ec2';
import {
  AuroraMysqlEngineVersion,
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
  DatabaseInstance,
  DatabaseInstanceEngine,
  type IClusterEngine,
  type IInstanceEngine,
  MariaDbEngineVersion,
  MysqlEngineVersion,
} from 'aws-cdk-lib/aws-rds';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { DatabaseEngine, DatabaseServer } from 'cdk-sovereign-backup';
import { stackIn } from '../synth';

function serverOf(engine: IInstanceEngine | IClusterEngine): DatabaseServer {
  const stack = stackIn('eu-central-1');
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0 });
  if ('singleUserRotationApplication' in engine && engine.engineType.startsWith('aurora'))
    return DatabaseServer.fromCluster(
      new DatabaseCluster(stack, 'Db', {
        engine: engine as IClusterEngine,
        writer: ClusterInstance.serverlessV2('Writer'),
        vpc,
        vpcSubnets: { subnets: vpc.publicSubnets },
      }),
    );
  return DatabaseServer.fromInstance(
    new DatabaseInstance(stack, 'Db', {
      engine: engine as IInstanceEngine,
      vpc,
      vpcSubnets: { subnets: vpc.publicSubnets },
    }),
  );
}

test.each([
  ['MariaDB', DatabaseInstanceEngine.mariaDb({ version: MariaDbEngineVersion.VER_10_11 }), 'mysql', 'admin'],
  ['MySQL', DatabaseInstanceEngine.mysql({ version: MysqlEngineVersion.VER_8_0 }), 'mysql', 'admin'],
  [
    'Aurora MySQL',
    DatabaseClusterEngine.auroraMysql({ version: AuroraMysqlEngineVersion.VER_3_08_0 }),
    'mysql',
    'admin',
  ],
  [
    'Aurora PostgreSQL',
    DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_6 }),
    'postgres',
    'postgres',
  ],
] as const)('%s is known by its construct', (_, engine, scheme, user) => {
  const server = serverOf(engine);
  expect(server.engine.scheme).toBe(scheme);
  expect(server.url.startsWith(`${scheme}://${user}@`)).toBe(true);
});

test('elsewhere the engine is named, and brings its port', () => {
  const stack = stackIn('eu-central-1');
  const server = DatabaseServer.fromEndpoint({
    host: 'db.example.internal',
    engine: DatabaseEngine.MYSQL,
    user: 'backup',
    secret: Secret.fromSecretNameV2(stack, 'Login', 'db/backup'),
  });
  expect(server.url).toBe('mysql://backup@db.example.internal:3306');
});
