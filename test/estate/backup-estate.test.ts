import { Aws, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import {
  BackupEstate,
  type BackupEstateProps,
  BackupRule,
  PrivacyRegime,
  ResourceType,
  type Territory,
} from 'cdk-sovereign-backup';
import { appWith, complaint, referenceStrengths } from '../synth';

const account = '111111111111';
const eu: Territory = { regime: PrivacyRegime.EU, home: 'eu-central-1', copies: ['eu-west-1'] };
const uk: Territory = {
  regime: PrivacyRegime.UK,
  home: 'eu-west-2',
  soleRegion: { acceptedBy: 'CISO', reviewOn: '2999-06-30' },
};
const promised = { maxDataLoss: Duration.hours(2), retention: Duration.days(7) };

function estate(props: Partial<BackupEstateProps>, context = {}) {
  const app = appWith(context);
  const made = new BackupEstate(app, 'Prod', { account, territories: [eu], objective: promised, ...props });
  return { app, estate: made };
}

const templateOf = (made: BackupEstate, region: string) => Template.fromStack(made.stackOf(region));

test('one stack per region, two instances side by side', () => {
  const { app, estate: made } = estate({ territories: [eu, uk] });
  new BackupEstate(app, 'Test', { account, territories: [eu] });
  const names = made.node.children.filter(Stack.isStack).map((stack) => (stack as Stack).stackName);
  expect(names).toEqual(['Prod-eu-central-1', 'Prod-eu-west-1', 'Prod-eu-west-2']);
  expect(complaint(app)).toBe('');
});

describe.each(referenceStrengths)('with %s references', (strength) => {
  test('the home copies to a vault that the other stack makes, by name alone', () => {
    const { app, estate: made } = estate({}, { '@aws-cdk/core:defaultCrossStackReferences': strength });
    const away = templateOf(made, 'eu-west-1');
    away.hasResourceProperties('AWS::Backup::BackupVault', { BackupVaultName: 'Prod-eu' });
    // The vault's, and that of the alarms.
    away.resourceCountIs('AWS::KMS::Key', 2);
    const home = templateOf(made, 'eu-central-1');
    home.resourceCountIs('AWS::KMS::Key', 2);
    const text = JSON.stringify(home.toJSON());
    expect(text).toContain(`:backup:eu-west-1:${account}:backup-vault:Prod-eu`);
    for (const template of [home, away]) {
      expect(template.toJSON().Outputs).toBeUndefined();
      // Nor does a function carry names from stack to stack; the survey of the watch is the only one.
      const functions = Object.keys(template.findResources('AWS::Lambda::Function'));
      expect(functions.filter((id) => !id.startsWith('WatcheuSurvey'))).toEqual([]);
    }
    home.hasResourceProperties('AWS::DLM::LifecyclePolicy', {
      PolicyDetails: { Schedules: [{ CrossRegionCopyRules: [{ Target: 'eu-west-1', Encrypted: true }] }] },
    });
    expect(complaint(app)).toBe('');
  });
});

test('several territories share a stack where regions meet, and keep their vaults apart', () => {
  const de: Territory = {
    regime: PrivacyRegime.DE,
    home: 'eu-central-1',
    soleRegion: { acceptedBy: 'DPO', reviewOn: '2999-01-01' },
  };
  const back: Territory = { regime: PrivacyRegime.EU, home: 'eu-west-1', copies: ['eu-central-1'] };
  const { app, estate: made } = estate({ territories: [eu, de, back] });
  const template = templateOf(made, 'eu-central-1');
  template.resourceCountIs('AWS::Backup::BackupVault', 2);
  template.resourceCountIs('AWS::Backup::BackupPlan', 2);
  template.hasResourceProperties('AWS::Backup::BackupVault', { BackupVaultName: 'Prod-de' });
  templateOf(made, 'eu-west-1').resourceCountIs('AWS::Backup::BackupVault', 1);
  expect(complaint(app)).toBe('');
});

test('a bunker account gets a stack of its own, and both sides let the copies through', () => {
  const bunkerAccount = '222222222222';
  const { app, estate: made } = estate({
    territories: [{ ...uk, soleRegion: { ...uk.soleRegion!, bunkerAccount } }],
  });
  const bunker = made.node.findChild('eu-west-2-bunker') as Stack;
  expect(bunker.account).toBe(bunkerAccount);
  const there = JSON.stringify(Template.fromStack(bunker).toJSON());
  expect(there).toContain('backup:CopyIntoBackupVault');
  expect(there).toContain(`:iam::${account}:root`);
  const here = JSON.stringify(templateOf(made, 'eu-west-2').toJSON());
  expect(here).toContain(`:backup:eu-west-2:${bunkerAccount}:backup-vault:Prod-uk`);
  expect(here).toContain(
    `:iam::${bunkerAccount}:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup`,
  );
  expect(complaint(app)).toBe('');
});

describe('what synthesis tells', () => {
  const told = (made: ReturnType<typeof estate>) =>
    made.app.synth().stacks.flatMap(({ messages }) => messages.map(({ entry }) => String(entry.data)));

  test('that no restore is tested, once, and nothing else', () => {
    const made = estate({ territories: [eu, uk] });
    expect(told(made)).toEqual([expect.stringMatching(/^no restore is tested: give it restoreTests/)]);
  });

  test('nothing, where that is acknowledged', () => {
    const made = estate({ territories: [eu, uk] });
    Validations.of(made.estate).acknowledge({
      id: 'Annotation::cdk-sovereign-backup:restores-not-tested',
      reason: 'tested by hand',
    });
    expect(told(made)).toEqual([]);
  });

  test('nothing, where restores are tested', () => {
    expect(told(estate({ restoreTests: { tags: { drill: 'yes' } } }))).toEqual([]);
  });
});

test('the accepted risk is in the template, for the auditor', () => {
  const { estate: made } = estate({ territories: [uk] });
  expect(templateOf(made, 'eu-west-2').toJSON().Metadata).toEqual({
    'SovereignBackup-uk': {
      catalogue: expect.any(String),
      regime: 'uk',
      regions: ['eu-west-2'],
      home: 'eu-west-2',
      copies: [],
      soleRegion: { acceptedBy: 'CISO', reviewOn: '2999-06-30' },
      objective: { maxLossMinutes: 120, retentionDays: 7 },
    },
  });
});

describe('refuses', () => {
  const refused = (props: Partial<BackupEstateProps>) => complaint(estate(props).app);

  test('a copy outside the regime, by plan, snapshots and vault', () => {
    const message = refused({ territories: [{ ...eu, copies: ['us-east-1'] }] });
    expect(message).toContain('[Prod/eu-central-1/Plan-eu]');
    expect(message).toContain(
      '[Prod/eu-central-1/Snapshots-eu] snapshots would go from eu-central-1 (regime eu) to us-east-1',
    );
  });
  test('a home outside the regime, and unknown regions', () => {
    // Whatever is protected: also where no snapshots of instances would notice.
    for (const types of [undefined, [ResourceType.RDS]]) {
      const message = refused({ territories: [{ ...eu, home: 'us-east-1', copies: ['us-west-2'] }], types });
      expect(message).toContain(
        "[Prod] territory 'eu' at us-east-1: region us-east-1 (regime us) does not belong to",
      );
    }
    expect(refused({ territories: [{ ...eu, copies: ['eu-wset-1'] }] })).toContain('did you mean eu-west-1?');
    expect(refused({ territories: [{ ...eu, home: Aws.REGION }] })).toContain('known only at deployment');
  });
  test('one region, without anybody having accepted it; with the way out', () => {
    expect(refused({ territories: [{ regime: PrivacyRegime.UK, home: 'eu-west-2' }] })).toMatch(
      /'uk' has one region only.*soleRegion.*bunkerAccount/,
    );
    expect(refused({ territories: [{ regime: PrivacyRegime.EU, home: 'eu-west-1' }] })).toMatch(
      /has no second region. Name copies, of eu-central-1, eu-west-3/,
    );
  });
  test('decisions that are stale, unsigned or contradictory, all at once', () => {
    const message = refused({
      account: 'prod',
      territories: [
        { ...uk, soleRegion: { acceptedBy: ' ', reviewOn: '2020-01-01', bunkerAccount: 'x' } },
        { ...eu, copies: ['eu-central-1', 'eu-west-1', 'eu-west-1'], soleRegion: uk.soleRegion },
        { ...eu },
      ],
    });
    for (const part of [
      "account is 'prod': write 12 digits",
      'acceptedBy is empty',
      'was to be reviewed on 2020-01-01',
      'write 12 digits',
      'copies names the home region itself',
      'copies names a region twice',
      'leave one of them out',
      "two territories of regime 'eu' at eu-central-1",
    ]) {
      expect(message).toContain(part);
    }
  });
  test('an objective that the schedules cannot keep, with the arithmetic', () => {
    const message = refused({ objective: { maxDataLoss: Duration.hours(1) } });
    expect(message).toContain("[Prod] EC2 of 'eu' in eu-central-1: the objective allows a loss of 1 h");
    expect(message).toContain('snapshots every 1 h: 1 h between runs + 1 h that a run may start late = 2 h');
    expect(refused({ types: [ResourceType.EFS] })).toContain(
      'rule hourly: 1 h between runs + 1 h start window + 3 h until it must be complete = 5 h',
    );
    expect(refused({ types: [ResourceType.RDS], rules: [BackupRule.continuous()] })).toBe('');
  });
});

test('no plan, vault or key is duplicated in a region, and state is retained', () => {
  const { estate: made } = estate({ territories: [eu, { ...uk, soleRegion: uk.soleRegion }] });
  for (const region of ['eu-central-1', 'eu-west-1', 'eu-west-2']) {
    const template = templateOf(made, region);
    template.allResources('AWS::Backup::BackupVault', Match.objectLike({ DeletionPolicy: 'Retain' }));
    template.allResources('AWS::KMS::Key', Match.objectLike({ DeletionPolicy: 'Retain' }));
    template.resourceCountIs('AWS::Backup::BackupVault', 1);
  }
});

test.each([
  [PrivacyRegime.US_GOV, 'us-gov-west-1', 'us-gov-east-1'],
  [PrivacyRegime.CN, 'cn-north-1', 'cn-northwest-1'],
])('in another partition: %s', (regime, home, copy) => {
  expect(complaint(estate({ territories: [{ regime, home, copies: [copy] }] }).app)).toBe('');
});
