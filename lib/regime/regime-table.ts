/**
 * The default privacy regimes: groups of regions that one body of law treats alike.
 *
 * A policy default, not legal advice: counsel may narrow, widen or replace any of them. Adequacy decisions never merge
 * two regimes, and a region's prefix says nothing (`eu-west-2` is the United Kingdom, `eu-central-2` Switzerland).
 */
export interface RegimeRecord {
  readonly id: string;
  readonly name: string;
  readonly law: string;
  readonly regions: readonly string[];
  /** The wider regime of which this one is a strict part, if any. */
  readonly within?: string;
  readonly confirmed: boolean;
}

/** Date of the last review of both tables. */
export const CATALOGUE_VERSION = '2026-11-24';

export const REGIMES: readonly RegimeRecord[] = [
  {
    id: 'us',
    name: 'United States (commercial regions)',
    law: 'No federal general privacy act; state acts; HIPAA and GLBA by sector',
    regions: ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2'],
    confirmed: true,
  },
  {
    id: 'us-gov',
    name: 'United States GovCloud',
    law: 'FedRAMP High, DoD IL4/5, ITAR, EAR',
    regions: ['us-gov-east-1', 'us-gov-west-1'],
    confirmed: true,
  },
  {
    id: 'eu',
    name: 'European Union and EEA',
    law: 'GDPR (Regulation (EU) 2016/679)',
    regions: ['eu-central-1', 'eu-west-1', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-south-2'],
    confirmed: true,
  },
  {
    id: 'eu-sovereign',
    name: 'AWS European Sovereign Cloud',
    law: 'GDPR (Regulation (EU) 2016/679), separate partition',
    regions: ['eusc-de-east-1'],
    confirmed: true,
  },
  {
    id: 'de',
    name: 'Germany',
    law: 'GDPR and BDSG',
    regions: ['eu-central-1'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'fr',
    name: 'France',
    law: 'GDPR and Loi Informatique et Libertés',
    regions: ['eu-west-3'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'ie',
    name: 'Ireland',
    law: 'GDPR and Data Protection Act 2018',
    regions: ['eu-west-1'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'it',
    name: 'Italy',
    law: 'GDPR and Codice Privacy',
    regions: ['eu-south-1'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'es',
    name: 'Spain',
    law: 'GDPR and LOPDGDD',
    regions: ['eu-south-2'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'se',
    name: 'Sweden',
    law: 'GDPR and Dataskyddslagen',
    regions: ['eu-north-1'],
    within: 'eu',
    confirmed: true,
  },
  {
    id: 'uk',
    name: 'United Kingdom',
    law: 'UK GDPR and Data Protection Act 2018',
    regions: ['eu-west-2'],
    confirmed: true,
  },
  { id: 'ch', name: 'Switzerland', law: 'revised FADP', regions: ['eu-central-2'], confirmed: true },
  {
    id: 'ca',
    name: 'Canada',
    law: 'PIPEDA and provincial acts',
    regions: ['ca-central-1', 'ca-west-1'],
    confirmed: true,
  },
  {
    id: 'ca-qc',
    name: 'Quebec',
    law: 'Act P-39.1 as amended by Law 25',
    regions: ['ca-central-1'],
    within: 'ca',
    confirmed: true,
  },
  {
    id: 'au',
    name: 'Australia',
    law: 'Privacy Act 1988, APP 8',
    regions: ['ap-southeast-2', 'ap-southeast-4'],
    confirmed: true,
  },
  {
    id: 'nz',
    name: 'New Zealand',
    law: 'Privacy Act 2020, IPP 12',
    regions: ['ap-southeast-6'],
    confirmed: true,
  },
  { id: 'jp', name: 'Japan', law: 'APPI', regions: ['ap-northeast-1', 'ap-northeast-3'], confirmed: true },
  { id: 'kr', name: 'South Korea', law: 'PIPA', regions: ['ap-northeast-2'], confirmed: true },
  { id: 'in', name: 'India', law: 'DPDP Act 2023', regions: ['ap-south-1', 'ap-south-2'], confirmed: true },
  { id: 'sg', name: 'Singapore', law: 'PDPA', regions: ['ap-southeast-1'], confirmed: true },
  { id: 'id', name: 'Indonesia', law: 'PDP Law 27/2022', regions: ['ap-southeast-3'], confirmed: true },
  { id: 'my', name: 'Malaysia', law: 'PDPA 2010', regions: ['ap-southeast-5'], confirmed: true },
  { id: 'th', name: 'Thailand', law: 'PDPA 2019', regions: ['ap-southeast-7'], confirmed: true },
  { id: 'hk', name: 'Hong Kong', law: 'PDPO', regions: ['ap-east-1'], confirmed: true },
  { id: 'tw', name: 'Taiwan', law: 'PDPA', regions: ['ap-east-2'], confirmed: true },
  {
    id: 'cn',
    name: 'Mainland China',
    law: 'PIPL, DSL, CSL',
    regions: ['cn-north-1', 'cn-northwest-1'],
    confirmed: true,
  },
  { id: 'br', name: 'Brazil', law: 'LGPD', regions: ['sa-east-1'], confirmed: true },
  {
    id: 'cl',
    name: 'Chile',
    law: 'Law 19.628; Law 21.719 from 1 December 2026',
    regions: ['sa-west-1'],
    confirmed: false,
  },
  { id: 'mx', name: 'Mexico', law: 'LFPDPPP', regions: ['mx-central-1'], confirmed: true },
  { id: 'za', name: 'South Africa', law: 'POPIA', regions: ['af-south-1'], confirmed: true },
  { id: 'il', name: 'Israel', law: 'Privacy Protection Law', regions: ['il-central-1'], confirmed: true },
  {
    id: 'ae',
    name: 'United Arab Emirates',
    law: 'Federal Decree-Law 45/2021',
    regions: ['me-central-1'],
    confirmed: true,
  },
  { id: 'bh', name: 'Bahrain', law: 'PDPL Law 30/2018', regions: ['me-south-1'], confirmed: true },
  { id: 'sa', name: 'Saudi Arabia', law: 'PDPL', regions: ['me-west-1'], confirmed: false },
];
