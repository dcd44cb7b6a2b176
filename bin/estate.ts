/**
 * The example: one company, four privacy regimes, seven regions. `npx cdk synth` writes one stack per region and needs
 * neither an AWS account nor Docker nor the network.
 */
import { App, Duration } from 'aws-cdk-lib';
import { BackupEstate, PrivacyRegime } from 'cdk-sovereign-backup';

const app = new App();

new BackupEstate(app, 'Prod', {
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
  objective: { maxDataLoss: Duration.hours(2), retention: Duration.days(7) },
});
