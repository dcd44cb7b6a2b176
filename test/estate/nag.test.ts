import { App, Duration, Validations } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';
import {
  BackupEstate,
  DatabaseServer,
  PrivacyRegime,
  TenantBackups,
  TenantSource,
} from 'cdk-sovereign-backup';
import { complaint } from '../synth';

test('every pack of cdk-nag is content with the estate and its tenants', () => {
  const app = new App({ analyticsReporting: false });
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(),
    new HIPAASecurityChecks(),
    new NIST80053R5Checks(),
    new PCIDSS321Checks(),
  );
  const estate = new BackupEstate(app, 'Prod', {
    account: '111111111111',
    territories: [
      { regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] },
      {
        regime: PrivacyRegime.UK,
        home: 'eu-west-2',
        soleRegion: { acceptedBy: 'CISO', reviewOn: '2999-06-30', bunkerAccount: '222222222222' },
      },
    ],
    objective: { maxDataLoss: Duration.hours(2), retention: Duration.days(7) },
  });
  const stack = estate.stackOf('eu-central-1');
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a', 'eu-central-1b'],
    privateSubnetIds: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'],
  });
  const server = DatabaseServer.fromEndpoint({ host: 'db.example.internal' });
  new TenantBackups(stack, 'Tenants', {
    source: TenantSource.discover(server, '%'),
    vpc,
    accessLogs: Bucket.fromBucketName(stack, 'Logs', 'logs'),
  });
  expect(complaint(app)).toBe('');
});
