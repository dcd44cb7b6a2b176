import { hasFindings } from '../../dist/lib/residency/audit';
import type { AuditPolicy } from '../../lib/residency/policy';
import {
  auditOf,
  lines,
  NOTHING_MOVES,
  NOW,
  planTo,
  replicatedBucketTo,
  secretTo,
  template,
  vaultArn,
} from './template';

const exception = {
  from: 'eu',
  to: 'us',
  instrument: 'DPF',
  approvedBy: 'DPO',
  expires: '2026-11-24',
  what: ['secret'] as const,
};

describe('verdicts', () => {
  const verdictsFor = (policy: Partial<AuditPolicy>, region = 'us-east-1', more = {}, now = NOW) =>
    auditOf(template({ S: secretTo(region), P: planTo(vaultArn(region)) }, more), policy, now).edges.map(
      ({ what, verdict, rule }) => `${what} ${verdict} ${rule}`,
    );

  test('an exception covers what it names, in its direction, until its last day', () => {
    const exceptions = [exception];
    expect(verdictsFor({ exceptions })).toEqual([
      'secret excepted exception',
      'backup violation cross-regime',
    ]);
    expect(verdictsFor({ exceptions }, 'us-east-1', {}, new Date('2026-11-25T00:00:00Z'))[0]).toBe(
      'secret violation cross-regime',
    );
    const reverse = [{ ...exception, from: 'us', to: 'eu' }];
    expect(verdictsFor({ exceptions: reverse })[0]).toBe('secret violation cross-regime');
    expect(verdictsFor({ exceptions: reverse }, 'eu-west-1', { region: 'us-east-1' })[0]).toBe(
      'secret excepted exception',
    );
  });

  test('an unknown region and a region without regime are refused', () => {
    expect(verdictsFor({}, 'eu-west-9')[0]).toBe('secret violation unknown-region');
    expect(verdictsFor({}, 'me-west-1')[0]).toBe('secret violation no-regime');
  });

  test('partitions are walls, even where the region is not said', () => {
    expect(verdictsFor({}, 'cn-north-1')[0]).toBe('secret impossible cross-partition');
    const bucket = auditOf(template({ B: replicatedBucketTo('arn:aws-cn:s3:::somewhere') }));
    expect(lines(bucket.edges)).toEqual(['object eu-west-1 -> null impossible']);
  });

  test('a store at another provider is judged by its declared country', () => {
    const storesIn = (countries: string[], policy: Partial<AuditPolicy> = {}, region = 'eu-west-1') => {
      const stores = countries.map((country) => ({ url: `s3://copies/?region=x&country=${country}` }));
      const Variables = {
        SOVEREIGN_EXTERNAL_STORES: {
          'Fn::Sub': JSON.stringify(stores.map((store) => ({ ...store, secretArn: `\${Secret}` }))),
        },
      };
      const worker = { Type: 'AWS::Lambda::Function', Properties: { Environment: { Variables } } };
      const secret = { Type: 'AWS::SecretsManager::Secret', Properties: {} };
      return auditOf(template({ W: worker, Secret: secret }, { region }), policy).edges;
    };
    expect(storesIn(['FR', 'US', 'fr']).map(({ verdict, rule, to }) => [to.country, verdict, rule])).toEqual([
      ['FR', 'allowed', 'same-regime'],
      ['US', 'violation', 'cross-regime'],
      [undefined, 'undetermined', 'unresolved-place'],
    ]);
    const [here] = storesIn(['FR']);
    expect(here?.message).toBe(
      'W sends backups from eu-west-1 (account 111111111111) to a provider in FR, outside AWS: the regime eu reaches FR, which is declared to be its country.',
    );
    // A regime cut to size reaches the countries of what is left of it.
    const regimes = { eu: { regions: ['eu-central-1', 'eu-west-1'] } };
    expect(storesIn(['FR', 'DE'], { regimes }).map(({ verdict }) => verdict)).toEqual([
      'violation',
      'allowed',
    ]);
    const what = ['backup'] as const;
    const [excepted] = storesIn(['US'], { exceptions: [{ ...exception, what }] });
    expect([excepted?.verdict, excepted?.to.regime, here?.to.regime]).toEqual(['excepted', 'us', 'eu']);
    expect(storesIn(['FR'], {}, 'eu-west-9')[0]?.rule).toBe('unknown-region');
    expect(storesIn(['US'], { exceptions: [exception] })[0]?.verdict).toBe('violation');
    expect(storesIn(['GB'], { exceptions: [{ ...exception, what }] })[0]?.verdict).toBe('violation');
  });

  test('the policy narrows a regime', () => {
    const regimes = { eu: { regions: ['eu-central-1', 'eu-west-1'] } };
    expect(verdictsFor({ regimes }, 'eu-central-1')[0]).toBe('secret allowed same-regime');
    expect(verdictsFor({ regimes }, 'eu-west-3')[0]).toBe('secret violation no-regime');
  });

  test('a region that two regimes of the policy claim is judged by the assignment, and by all of them without', () => {
    const policy = {
      regimes: {
        eu: { regions: ['eu-central-1', 'eu-west-1'] },
        dach: { regions: ['eu-central-1', 'eu-central-2'] },
      },
      assign: { '111111111111/eu-central-1': 'dach' },
    };
    const at = { region: 'eu-central-1' };
    expect(verdictsFor(policy, 'eu-central-2', at)[0]).toBe('secret allowed same-regime');
    expect(verdictsFor(policy, 'eu-west-1', at)[0]).toBe('secret violation cross-regime');
    const unknown = { ...at, account: null };
    expect(verdictsFor(policy, 'eu-west-1', unknown)[0]).toBe('secret undetermined ambiguous-regime');
    expect(verdictsFor(policy, 'us-east-1', unknown)[0]).toBe('secret violation cross-regime');
    const other = { ...at, account: '222222222222' };
    expect(verdictsFor(policy, 'eu-west-1', other)[0]).toBe('secret undetermined ambiguous-regime');
  });

  test('data of a wide regime may go to a narrower one inside it, not the other way round', () => {
    const assign = { 'eu-central-1': 'de' };
    expect(verdictsFor({ assign }, 'eu-central-1')[0]).toBe('secret allowed same-regime');
    expect(verdictsFor({ assign }, 'eu-west-1', { region: 'eu-central-1' })[0]).toBe(
      'secret violation cross-regime',
    );
  });

  test('another account in the own region is an edge, and allowed', () => {
    const { edges } = auditOf(
      template({ P: planTo(vaultArn('eu-west-1', '222222222222'), vaultArn('eu-west-1')) }),
    );
    expect(edges).toHaveLength(1);
    expect(edges[0]).toMatchObject({
      verdict: 'allowed',
      to: { region: 'eu-west-1', account: '222222222222', regime: 'eu' },
    });
  });

  test('the message says what moves, from where, to where, why not and what to do', () => {
    const [edge] = auditOf(template({ P: planTo(vaultArn('us-east-1')) })).edges;
    for (const part of [
      'P',
      'backups',
      'eu-west-1',
      'us-east-1',
      'regime eu',
      'us',
      'choose a region of eu',
      'exception',
    ])
      expect(edge?.message).toContain(part);
  });
});

describe('findings', () => {
  const rulesOf = (...args: Parameters<typeof auditOf>) =>
    auditOf(...args).findings.map(({ rule, severity }) => `${rule} ${severity}`);

  test('sole regions want an acceptance, and a review in time', () => {
    const uk = template(NOTHING_MOVES, { region: 'eu-west-2' });
    const accepted = (reviewOn: string) => ({ soleRegion: { uk: { acceptedBy: 'CISO', reviewOn } } });
    expect(rulesOf(uk)).toEqual(['sole-region warning']);
    expect(rulesOf(uk, accepted('2027-06-30'))).toEqual([]);
    expect(rulesOf(uk, accepted('2026-11-23'))).toEqual(['sole-region-review warning']);
    expect(rulesOf(template(NOTHING_MOVES))).toEqual([]);
  });

  test('exceptions are announced 90 days before they end', () => {
    const until = (expires: string) => ({ exceptions: [{ ...exception, expires }] });
    expect(rulesOf(template(NOTHING_MOVES), until('2027-02-23'))).toEqual([]);
    expect(rulesOf(template(NOTHING_MOVES), until('2027-02-22'))).toEqual(['exception-expiring warning']);
    expect(rulesOf(template(NOTHING_MOVES), until('2026-11-24'))).toEqual(['exception-expiring warning']);
    expect(rulesOf(template(NOTHING_MOVES), until('2026-11-23'))).toEqual(['exception-expired warning']);
  });

  test('keys that can be replicated, and keys that go where no data goes', () => {
    const key = { Type: 'AWS::KMS::Key', Properties: { MultiRegion: true } };
    const replica = {
      Type: 'AWS::KMS::ReplicaKey',
      Properties: { PrimaryKeyArn: 'arn:aws:kms:eu-west-3:111111111111:key/mrk-1' },
    };
    expect(
      rulesOf(template({ K: key, Single: { Type: 'AWS::KMS::Key', Properties: { MultiRegion: false } } })),
    ).toEqual(['multi-region-key warning']);
    expect(rulesOf(template({ R: replica }))).toEqual(['key-wider-than-data warning']);
    expect(rulesOf(template({ R: replica, S: secretTo('eu-west-3') }))).toEqual([]);
  });

  test('copies of which nobody can be sure that they are far enough', () => {
    // Zurich and Milan are about 218 km apart, and neither site is published.
    const regimes = { alps: { regions: ['eu-central-2', 'eu-south-1'] } };
    const near = template({ P: planTo(vaultArn('eu-south-1')) }, { region: 'eu-central-2' });
    expect(rulesOf(near, { regimes })).toEqual(['copies-distance-unsure note']);
    expect(rulesOf(template({ P: planTo(vaultArn('eu-north-1')) }))).toEqual([]);
  });

  test('what nobody assessed is named', () => {
    const resources = {
      A: { Type: 'Custom::Thing', Properties: { ServiceToken: 'x' } },
      B: { Type: 'AWS::Nobody::Knows' },
      C: { Type: 'Vendor::Thing::X::MODULE' },
      D: { Type: 'AWS::SQS::Queue' },
      N: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://x/y' } },
    };
    expect(
      auditOf(template(resources)).findings.map(({ rule, logicalId }) => `${rule} ${logicalId}`),
    ).toEqual([
      'nested-template-not-assessed N',
      'type-not-assessed A',
      'type-not-assessed B',
      'type-not-assessed C',
    ]);
    const macro = template(NOTHING_MOVES, { sections: { Transform: ['AWS::LanguageExtensions', 'Mine'] } });
    expect(rulesOf(macro)).toEqual(['macro-not-assessed warning']);
  });

  test('resources in a circle are an error; a branch or a condition may break one', () => {
    const bucket = (other: unknown, more = {}) => ({
      Type: 'AWS::S3::Bucket',
      Properties: { BucketName: other },
      ...more,
    });
    const circle = auditOf(
      template({ A: bucket({ Ref: 'B' }), B: { Type: 'AWS::S3::Bucket', DependsOn: ['A'] } }),
    );
    expect(circle.findings.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual([
      'circular-reference error',
    ]);
    expect(hasFindings(circle, false)).toBe(true);
    expect(
      rulesOf(template({ A: bucket({ 'Fn::If': ['C', { Ref: 'B' }, 'x'] }), B: bucket({ Ref: 'A' }) })),
    ).toEqual([]);
    expect(
      rulesOf(template({ A: bucket({ Ref: 'B' }, { Condition: 'C' }), B: bucket({ Ref: 'A' }) })),
    ).toEqual([]);
  });
});
