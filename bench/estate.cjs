// The estate that synthesis is measured on: 8 regimes, 20 regions. An app like any other, run by synth.mts; a CommonJS
// module like what it is compared with, since an ECMAScript module has Node load all of aws-cdk-lib.
const { App, Duration } = require('aws-cdk-lib');
const { BackupEstate, PrivacyRegime } = require('cdk-sovereign-backup');

const alone = { acceptedBy: 'CISO', reviewOn: '2999-06-30', bunkerAccount: '222222222222' };

const app = new App();

new BackupEstate(app, 'Prod', {
  account: '111111111111',
  territories: [
    { regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1', 'eu-north-1', 'eu-south-1'] },
    { regime: PrivacyRegime.EU, home: 'eu-west-3', copies: ['eu-south-2'] },
    { regime: PrivacyRegime.US, home: 'us-east-1', copies: ['us-east-2', 'us-west-1', 'us-west-2'] },
    { regime: PrivacyRegime.CA, home: 'ca-central-1', copies: ['ca-west-1'] },
    { regime: PrivacyRegime.AU, home: 'ap-southeast-2', copies: ['ap-southeast-4'] },
    { regime: PrivacyRegime.JP, home: 'ap-northeast-1', copies: ['ap-northeast-3'] },
    { regime: PrivacyRegime.IN, home: 'ap-south-1', copies: ['ap-south-2'] },
    { regime: PrivacyRegime.UK, home: 'eu-west-2', soleRegion: alone },
    { regime: PrivacyRegime.CH, home: 'eu-central-2', soleRegion: alone },
  ],
  objective: { maxDataLoss: Duration.hours(2), retention: Duration.days(7), copies: 2 },
  restoreTests: {},
});

app.synth();
