/** What a residency audit of templates can and cannot be evidence for. Controls are pointers, never verdicts. */

/**
 * `design`: shown by these templates. `operating`: only the account's own records can show it. `inherited`: the cloud
 * provider's duty, shown by its attestations. `not assessed`: outside this report.
 */
export type EvidenceKind = 'design' | 'operating' | 'inherited' | 'not assessed';

export interface EvidenceItem {
  readonly item: string;
  readonly kind: EvidenceKind;
  readonly supports: readonly string[];
  /** What this report contributes, or where the evidence must come from. */
  readonly contribution: string;
}

export const ANNEX: readonly EvidenceItem[] = [
  {
    item: 'Inventory of where data goes: region, copy targets, keys, regime and its law',
    kind: 'design',
    supports: [
      'GDPR Art. 30(1)(d), (e), (g), 30(2)(c), (d)',
      'ISO/IEC 27001:2022 A.5.9, A.5.31, A.5.34',
      'DORA Art. 8, 28(3)',
      'PCI DSS 4.0.1 req. 9.4.5',
    ],
    contribution: 'Sections Routes, Edges and Regimes. Stores from which nothing is copied are not listed.',
  },
  {
    item: 'Statement on whether any copy, replica or key leaves its regime, with a verdict for each edge',
    kind: 'design',
    supports: [
      'GDPR Art. 5(2), 24, 28(3)(a), 32, 44',
      'ISO/IEC 27018, 27701',
      'DORA Art. 30(2)(b)',
      'SOC 2 C1.1, CC6.7',
    ],
    contribution:
      'Section Edges, with the catalogue version at the end. Supports the control only as far as no edge is a violation or undetermined.',
  },
  {
    item: 'List of transfer exceptions: instrument, expiry, approver',
    kind: 'design',
    supports: [
      'GDPR Art. 45, 46, 49(1), 49(6) with 30(1)(e)',
      'UK GDPR Art. 45A to 45C, 46',
      'FADP Art. 16, 17',
      'Quebec Act P-39.1 s. 17',
    ],
    contribution: 'Section Exceptions. The transfer impact assessment itself is kept elsewhere.',
  },
  {
    item: 'Backup policy: scope, frequency, retention, immutability',
    kind: 'not assessed',
    supports: [
      'DORA Art. 12(1)(a)',
      'HIPAA 45 CFR 164.308(a)(7)(ii)(A)',
      'ISO/IEC 27001:2022 A.8.13',
      'SOC 2 A1.2',
      'NIS2 Art. 21(2)(c), Implementing Regulation (EU) 2024/2690 Annex 4.2',
      'GDPR Art. 32(1)(b), (c)',
      'PCI DSS 4.0.1 req. 10.5.1',
    ],
    contribution: 'This report reads where copies go, not how often they are made or how long they are kept.',
  },
  {
    item: 'Copies held apart: separate account, vault lock, denied deletion',
    kind: 'not assessed',
    supports: ['DORA Art. 12(3)', 'SOC 2 CC6.1', 'NIS2 Art. 21(2)(c)', 'ISO/IEC 27001:2022 A.8.13'],
    contribution:
      'Section Edges names the account of each end where it is known; locks and deletion are not read.',
  },
  {
    item: 'Separation of copies, second location, acceptance of a single region',
    kind: 'design',
    supports: [
      'DORA Art. 12(4), 12(5)',
      'ISO/IEC 27001:2022 A.8.14, A.5.29, A.5.30',
      'NIST SP 800-53 CP-6, CP-6(1), CP-7(1), CP-9(3)',
      'BSI criteria for the choice of data-centre sites',
      'SOC 2 A1.2',
    ],
    contribution: 'Sections Distances and Single regions. Distance is not independence of hazards.',
  },
  {
    item: 'Recovery objectives for each tier',
    kind: 'not assessed',
    supports: ['HIPAA 45 CFR 164.308(a)(7)(ii)(B), (E)', 'DORA Art. 11, 12(6)', 'ISO 22301 8.2'],
    contribution: 'Worst-case loss follows from the declared schedules, which are not read here.',
  },
  {
    item: 'Restore tests: plan and results',
    kind: 'operating',
    supports: [
      'HIPAA 45 CFR 164.308(a)(7)(ii)(D)',
      'SOC 2 A1.3',
      'DORA Art. 12(2), 12(7)',
      'GDPR Art. 32(1)(d)',
      'NIS2 Implementing Regulation (EU) 2024/2690 Annex 4.2',
    ],
    contribution: 'Not in this report: job history and drill results come from the account.',
  },
  {
    item: 'Copy of data before equipment is moved',
    kind: 'inherited',
    supports: ['HIPAA 45 CFR 164.310(d)(2)(iv)'],
    contribution: 'Moving equipment is the cloud provider’s duty; see its attestations.',
  },
  {
    item: 'Encryption, and where the keys are',
    kind: 'design',
    supports: [
      'GDPR Art. 32(1)(a)',
      'HIPAA 45 CFR 164.312(a)(2)(iv)',
      'ISO/IEC 27001:2022 A.8.24',
      'PCI DSS 4.0.1 req. 3.5 to 3.7',
    ],
    contribution:
      'Section Keys: where key material may travel. Whether each store is encrypted is not assessed.',
  },
  {
    item: 'Retention and erasure of backups',
    kind: 'not assessed',
    supports: [
      'GDPR Art. 5(1)(e), 17, 30(1)(f)',
      'HIPAA 45 CFR 164.316(b)(2)(i)',
      'ISO/IEC 27001:2022 A.8.10',
    ],
    contribution: 'Lifecycles are not read here.',
  },
  {
    item: 'Locations of provider and processors',
    kind: 'design',
    supports: [
      'GDPR Art. 28(2) to 28(4)',
      'HIPAA 45 CFR 164.308(b), 164.314(a)',
      'DORA Art. 28 to 30',
      'ISO/IEC 27001:2022 A.5.19 to A.5.23',
      'SOC 2 CC9.2',
    ],
    contribution:
      'Section Routes, for the regions of the cloud provider only; contracts and other processors are not seen.',
  },
  {
    item: 'Offline media; response plan that covers backup processes',
    kind: 'inherited',
    supports: ['PCI DSS 4.0.1 req. 9.4.1, 9.4.1.1, 9.4.1.2, 12.10.1'],
    contribution:
      'An online vault is no offline medium; physical media are the provider’s (its attestation of compliance). The response plan is not seen.',
  },
  {
    item: 'Change evidence: what was judged, by which list',
    kind: 'design',
    supports: ['SOC 2 CC8.1', 'ISO/IEC 27001:2022 A.8.32', 'GDPR Art. 5(2)'],
    contribution:
      'Section Provenance: hashes of every input, of the policy and of the catalogue. Who changed what, and when, is in the version control of the inputs.',
  },
];

/** What no template shows, whatever is in it: printed in every report. */
export const BLIND_SPOTS: readonly string[] = [
  'Copies made outside the templates: console, API, on-demand jobs, scripts, policies of the organization. The guard (`sovereign-backup guard`) denies them; the watch reports them.',
  'Settings of an account that CloudFormation has no resource for, such as AWS Backup region and global settings.',
  'S3 Batch Operations, database-native replication inside a server, and anything an application itself sends over the network.',
  'Custom resources and provisioners: what their code does is not in the template.',
  'Names, tags and descriptions: global control planes (IAM, Organizations, Route 53, CloudFront) keep them outside the regime. They should carry no personal data.',
  'Content delivery caches, Outposts and Local Zones, which may stand in another country than their parent region.',
  'Access from abroad, by support staff or under foreign law. Residency is not sovereignty.',
];
