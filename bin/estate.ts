/**
 * The example: one company, four privacy regimes, seven regions, two of them with tenants' databases. `npx cdk synth`
 * writes one stack per region and needs neither an AWS account nor Docker nor the network.
 */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import {
  BackupEstate,
  DatabaseServer,
  PrivacyRegime,
  TenantBackups,
  TenantSource,
} from 'cdk-sovereign-backup';

export const app = new App();

const estate = new BackupEstate(app, 'Prod', {
  account: '111111111111',
  territories: [
    { regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] },
    { regime: PrivacyRegime.US, home: 'us-east-1', copies: ['us-west-2'] },
    { regime: PrivacyRegime.CA, home: 'ca-central-1', copies: ['ca-west-1'] },
    {
      regime: PrivacyRegime.UK,
      home: 'eu-west-2',
      soleRegion: { acceptedBy: 'CISO', reviewOn: '2027-06-30', bunkerAccount: '222222222222' },
    },
  ],
  objective: { maxDataLoss: Duration.hours(2), retention: Duration.days(7), copies: 2 },
  // Every Sunday, the instances that also have this tag are restored, booted, judged and deleted again.
  restoreTests: { tags: { drill: 'yes' } },
});

// Servers that are there already, each with a database per tenant. In an app of one's own, pass the cluster itself:
// DatabaseServer.fromCluster(cluster).
const servers = [
  { region: 'eu-central-1', host: 'tenants.db.eu.example.com' },
  { region: 'us-east-1', host: 'tenants.db.us.example.com' },
];

for (const { region, host } of servers) {
  const stack = estate.stackOf(region);
  const server = DatabaseServer.fromEndpoint({
    host,
    user: 'backup',
    secret: Secret.fromSecretNameV2(stack, 'Login', 'tenants/backup'),
    connections: SecurityGroup.fromSecurityGroupId(stack, 'Database', 'sg-0123456789abcdef0'),
  });
  const tenants = new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, 'tenant\\_%'),
    vpc: Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-0123456789abcdef0',
      availabilityZones: [`${region}a`, `${region}b`],
      privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
      privateSubnetRouteTableIds: ['rtb-0123456789abcdef0', 'rtb-0123456789abcdef1'],
    }),
  });
  for (const watch of estate.watches) if (Stack.of(watch) === stack) watch.addTenants(tenants);
}
