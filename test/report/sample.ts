import type { ReportContext } from '../../bin/report/context';
import { defaultRegimeOf, findRegion } from '../../lib/regime/lookup';
import type { AuditResult, Cargo, Edge, Finding, Place, Verdict } from '../../lib/residency/model';

/** Results made by hand: the report must be right for any result, whatever the audit can find today. */

function place(region: string | null, account: string | null = '111111111111'): Place {
  return {
    region,
    account,
    partition: region === null ? null : (findRegion(region)?.partition ?? 'aws'),
    regime: region === null ? null : (defaultRegimeOf(region)?.id ?? null),
  };
}

export function edge(
  verdict: Verdict,
  what: Cargo,
  from: string | null,
  to: string | null,
  over: Partial<Edge> = {},
): Edge {
  return {
    verdict,
    rule: `residency/${verdict}`,
    what,
    from: place(from),
    to: place(to, null),
    template: 'cdk.out/Prod-Data.template.json',
    stack: 'Prod-Data',
    logicalId: 'Plan4C59',
    constructPath: 'Prod/Data/Plan/Resource',
    resourceType: 'AWS::Backup::BackupPlan',
    propertyPath: 'BackupPlan.BackupPlanRule[0].CopyActions[0].DestinationBackupVaultArn',
    message: `A ${what} goes from ${from ?? 'a place unknown'} to ${to ?? 'a place unknown'}.`,
    ...over,
  };
}

export function resultOf(edges: readonly Edge[], findings: readonly Finding[] = []): AuditResult {
  const of = (verdict: Verdict) => edges.filter((e) => e.verdict === verdict).length;
  return {
    schemaVersion: 1,
    summary: {
      templates: 3,
      resources: 214,
      edges: edges.length,
      allowed: of('allowed'),
      excepted: of('excepted'),
      undetermined: of('undetermined'),
      violation: of('violation'),
      impossible: of('impossible'),
    },
    edges,
    findings,
    catalogue: { version: '2026-11-24', sha256: 'c'.repeat(64) },
    inputs: ['Data', 'Network', 'Web'].map((name, i) => ({
      path: `cdk.out/Prod-${name}.template.json`,
      sha256: String(i).repeat(64),
    })),
  };
}

export const context: ReportContext = {
  toolVersion: '0.1.0',
  policy: {
    regimes: {
      'acme-dach': { name: 'Germany and Switzerland by contract', regions: ['eu-central-1', 'eu-central-2'] },
    },
    exceptions: [
      {
        from: 'uk',
        to: 'eu',
        instrument: 'UK adequacy regulations, DPA 2018 Sch. 21',
        what: ['backup'],
        approvedBy: 'DPO',
        expires: '2027-06-30',
      },
    ],
    soleRegion: { uk: { acceptedBy: 'CISO', reviewOn: '2027-06-30', reason: 'no second UK region' } },
  },
  policyFile: { path: 'residency.yaml', sha256: 'a'.repeat(64) },
  asOf: '2026-11-24',
  generatedOn: null,
};

export const small = resultOf([
  edge('allowed', 'backup', 'eu-central-1', 'eu-west-1'),
  edge('excepted', 'backup', 'eu-west-2', 'eu-west-1'),
  edge('violation', 'key', 'eu-central-1', 'us-east-1', {
    resourceType: 'AWS::KMS::ReplicaKey',
    propertyPath: 'PrimaryKeyArn',
    constructPath: 'Prod/Keys/Replica',
    message:
      'Key material goes from eu-central-1 (eu) to us-east-1 (us), which no exception covers: whoever holds the replica can open data of eu. Remove the replica, or record an exception from eu to us.',
  }),
]);

export const mixed = resultOf(
  [
    edge('allowed', 'backup', 'eu-central-1', 'eu-west-1'),
    edge('allowed', 'backup', 'eu-west-1', 'eu-central-1'),
    edge('allowed', 'snapshot', 'us-east-1', 'us-west-2'),
    edge('allowed', 'replica', 'ap-northeast-1', 'ap-northeast-3'),
    edge('allowed', 'replica', 'ap-southeast-2', 'ap-southeast-4'),
    edge('allowed', 'object', 'ca-central-1', 'ca-west-1'),
    edge('allowed', 'backup', 'eu-central-1', 'eu-central-1', { to: place('eu-central-1', '222222222222') }),
    edge('excepted', 'backup', 'eu-west-2', 'eu-west-1'),
    edge('undetermined', 'log', 'eu-north-1', null),
    edge('undetermined', 'event', null, 'sa-east-1'),
    edge('violation', 'key', 'eu-central-1', 'us-east-1', { resourceType: 'AWS::KMS::ReplicaKey' }),
    edge('violation', 'replica', 'ap-northeast-1', 'us-west-2'),
    edge('violation', 'secret', 'eu-central-1', 'eu-central-2'),
    edge('impossible', 'backup', 'eu-central-1', 'cn-north-1'),
  ],
  [
    {
      rule: 'copies-too-close',
      severity: 'warning',
      template: 'cdk.out/Prod-Data.template.json',
      logicalId: 'Plan4C59',
      message: 'Copies in eu-central-2 and eu-south-1 stand 218 km apart.',
    },
    {
      rule: 'multi-region-key',
      severity: 'warning',
      template: 'cdk.out/Prod-Keys.template.json',
      logicalId: 'Key',
      message: 'A multi-Region key can be replicated to any region by a later call.',
    },
    {
      rule: 'type-not-assessed',
      severity: 'note',
      template: 'cdk.out/Prod-Data.template.json',
      logicalId: 'Thing',
      message: 'AWS::New::Thing is not in the list of properties: whether it moves data is not known.',
    },
    {
      rule: 'exception-expiring',
      severity: 'note',
      template: null,
      logicalId: null,
      message: 'The exception from uk to eu ends on 2027-06-30.',
    },
  ],
);

export function many(n: number): AuditResult {
  const regions = [
    'eu-central-1',
    'eu-west-1',
    'eu-west-3',
    'eu-north-1',
    'eu-south-1',
    'eu-south-2',
    'eu-west-2',
    'eu-central-2',
    'us-east-1',
    'us-east-2',
    'us-west-2',
    'ca-central-1',
    'ap-south-1',
    'ap-southeast-2',
    'ap-northeast-1',
    'sa-east-1',
  ];
  const cargo: Cargo[] = [
    'backup',
    'snapshot',
    'replica',
    'key',
    'secret',
    'image',
    'log',
    'event',
    'object',
  ];
  return resultOf(
    Array.from({ length: n }, (_, i) => {
      const from = regions[i % regions.length]!;
      const to = i % 41 === 0 ? null : regions[(i * 7 + 3) % regions.length]!;
      const same = to !== null && defaultRegimeOf(from)?.id === defaultRegimeOf(to)?.id;
      return edge(
        to === null ? 'undetermined' : same ? 'allowed' : 'violation',
        cargo[i % cargo.length]!,
        from,
        to,
        {
          logicalId: `Resource${i}`,
          constructPath: `Prod/Service${i % 50}/Store${i}/Resource`,
        },
      );
    }),
  );
}
