/** What templates need of the settings of a region and an organization, which no template can have. */
import type { TemplateInput } from '../../residency/input';
import { prepareInput } from '../../residency/read/prepare';
import { buildStacks } from '../../residency/resolve/build';
import { Exports } from '../../residency/resolve/exports';
import { Resolver } from '../../residency/resolve/resolver';
import type { Stack } from '../../residency/resolve/stack';
import { type TypeRecord, typeOfArn, typeOfResource } from '../type-table';
import { planVariants } from './plans';
import { type Selection, selectionVariants } from './selections';
import { branches, knownText } from './values';
import { Vaults } from './vaults';

/** Something that has to be switched on in a region. */
export interface RegionNeed {
  readonly account: string | null;
  readonly region: string | null;
  /** `opt-in`: the type is backed up at all; `advanced`: with the features that AWS Backup itself manages. */
  readonly setting: 'opt-in' | 'advanced';
  /** As AWS Backup names it; null for every type that the region has. */
  readonly type: string | null;
  readonly why: string;
}

/** Something that the management account has to switch on for the organization. */
export interface OrganizationNeed {
  readonly setting: 'isCrossAccountBackupEnabled' | 'isMpaEnabled';
  readonly why: string;
}

export interface SettingsNeeds {
  readonly regions: readonly RegionNeed[];
  readonly organization: readonly OrganizationNeed[];
  /** Stacks that have vaults or selections, whether or not they need anything. */
  readonly places: readonly { readonly account: string | null; readonly region: string | null }[];
}

/** Types that a selection does not get by naming them: their opt-in counts in any case. */
const NEVER_BY_NAME = ['Aurora', 'DocumentDB', 'Neptune'];
/** Types that have a setting for advanced features. */
export const ADVANCED_TYPES: readonly string[] = ['DynamoDB', 'EFS'];
const ADVANCED = 'without it their recovery points have neither the key of the vault nor all kinds of copies';

const SELECTION = 'AWS::Backup::BackupSelection';
const VAULTS = ['AWS::Backup::BackupVault', 'AWS::Backup::LogicallyAirGappedBackupVault'];

export function settingsNeeded(inputs: readonly TemplateInput[]): SettingsNeeds {
  const resolver = new Resolver();
  const stacks = buildStacks(inputs.map(prepareInput), resolver);
  resolver.exports = new Exports(resolver, stacks);
  const vaults = new Vaults(resolver, stacks);
  const regions = new Map<string, RegionNeed>();
  const organization = new Map<string, OrganizationNeed>();
  const places = new Map<string, SettingsNeeds['places'][number]>();
  const inOrganization = (setting: OrganizationNeed['setting'], why: string) => {
    if (!organization.has(setting)) organization.set(setting, { setting, why });
  };
  for (const stack of stacks) {
    const place = { account: knownText(stack.account), region: knownText(stack.region) };
    for (const { type, logicalId, properties } of stack.resources.ofTypes(
      (each) => each === SELECTION || VAULTS.includes(each),
    )) {
      places.set(JSON.stringify(place), place);
      if (type !== SELECTION) {
        if (branches(resolver, stack, properties.MpaApprovalTeamArn)[0] !== undefined)
          inOrganization('isMpaEnabled', `the vault ${logicalId} has a multi-party approval team`);
        continue;
      }
      for (const selection of selectionVariants(resolver, stack, stack.resources.get(logicalId)!)) {
        for (const need of needsOf(selection, resolver)) {
          const key = [place.account, place.region, need.setting, need.type].join(' ');
          if (!regions.has(key)) regions.set(key, { ...place, ...need });
        }
      }
    }
    for (const plan of stack.resources.ofTypes((each) => each === 'AWS::Backup::BackupPlan')) {
      const stores = planVariants(resolver, stack, plan, vaults).flatMap(({ rules }) =>
        rules.flatMap((rule) => rule.stores),
      );
      const other = stores.find(({ account }) => account !== null && account !== place.account);
      if (other && place.account !== null)
        inOrganization(
          'isCrossAccountBackupEnabled',
          `the plan ${plan.logicalId} copies to account ${other.account}`,
        );
    }
  }
  return {
    regions: [...regions.values()],
    organization: [...organization.values()],
    places: [...places.values()],
  };
}

type Need = Omit<RegionNeed, 'account' | 'region'>;

function needsOf(selection: Selection, resolver: Resolver): Need[] {
  const { logicalId, resources, anyOf } = selection;
  const advanced = (type: string): Need => ({
    setting: 'advanced',
    type,
    why: `the selection ${logicalId} takes it, and ${ADVANCED}`,
  });
  if (resources.includes('*') || (resources.length === 0 && anyOf.length > 0)) {
    const why = `the selection ${logicalId} takes what is tagged, of the types that are on`;
    return [{ setting: 'opt-in', type: null, why }, ...ADVANCED_TYPES.map(advanced)];
  }
  return resources.flatMap((arn): Need[] => {
    const type = typeOf(arn, resolver)?.name;
    if (type === undefined) return [];
    if (ADVANCED_TYPES.includes(type)) return [advanced(type)];
    if (!NEVER_BY_NAME.includes(type)) return [];
    const why = `the selection ${logicalId} names it, which is not enough for this type`;
    return [{ setting: 'opt-in', type, why }];
  });
}

function typeOf(arn: string, resolver: Resolver): TypeRecord | undefined {
  const token = resolver.tokens.all(arn).find(({ kind }) => kind === 'resource');
  if (token?.kind !== 'resource') return typeOfArn(arn);
  const declared: Stack['resources'] = token.stack.resources;
  return typeOfResource(declared.get(token.logicalId)?.type ?? '');
}
