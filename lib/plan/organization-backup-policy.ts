import { Token } from 'aws-cdk-lib';
import { CfnPolicy } from 'aws-cdk-lib/aws-organizations';
import { Construct } from 'constructs';
import { addProblem, addWarning } from '../problems';
import { Cargo, type PrivacyRegime } from '../regime';
import { homeRegionProblem, moveProblem, separationProblem } from '../regime/move-check';
import { nameProblems } from '../vault/vault-name';
import type { BackupRule } from './backup-rule';
import { BackupRules } from './backup-rules';
import { policyDocument } from './organization-policy-document';
import type { ResourceType } from './resource-type';
import { indexProblems, ruleProblems } from './rule-check';

/** Which rules every member account follows, and where. */
export interface OrganizationBackupPolicyProps {
  /** The regime that recovery points and copies stay in. */
  readonly regime: PrivacyRegime;

  /** Regions of the regime whose resources are backed up. */
  readonly regions: string[];

  /**
   * The vault, by its name: every member account needs one in each region, say by a stack set of `RegimeVault`.
   */
  readonly vaultName: string;

  /**
   * Organizational units, accounts and roots that follow the policy: `ou-...`, twelve digits, `r-...`.
   *
   * @default - none yet
   */
  readonly targetIds?: string[];

  /**
   * When recovery points are made and how long they are kept.
   *
   * @default BackupRules.hourly7DaysDaily35Days()
   */
  readonly rules?: BackupRule[];

  /**
   * A logically air-gapped vault, by its name, in which every rule makes recovery points at once where the type allows it.
   * Every member account needs one in each region.
   *
   * @default - none
   */
  readonly airGappedVaultName?: string;

  /**
   * Regions of the regime that are copied to, into the member's vault of the same name.
   *
   * @default - no copies
   */
  readonly copies?: string[];

  /**
   * An account of the organization that copies go to, instead of the member's own.
   *
   * @default - the member account
   */
  readonly copyAccount?: string;

  /**
   * Tags that a resource must have, all of them.
   *
   * @default { 'sovereign-backup': 'protected' }
   */
  readonly tags?: { [key: string]: string };

  /**
   * Types of resources.
   *
   * @default - every type that the region's opt-in settings allow
   */
  readonly types?: ResourceType[];

  /**
   * The role, by its name, that every member account has for AWS Backup.
   *
   * @default 'service-role/AWSBackupDefaultServiceRole'
   */
  readonly roleName?: string;

  /**
   * Application-consistent backups of Windows instances.
   *
   * @default false
   */
  readonly windowsVss?: boolean;

  /**
   * The role, by its name, that every member account has for GuardDuty to read recovery points that rules scan for
   * malware.
   *
   * @default - none; rules cannot scan
   */
  readonly malwareScanRoleName?: string;

  /**
   * The policy's name in the organization, and of the plan that it makes in every member.
   *
   * @default - made of the construct's path
   */
  readonly policyName?: string;
}

/** AWS counts characters without white space outside of quotes. */
const MOST_CHARACTERS = 10_000;
const MOST_CONDITIONS = 30;
const TARGET = /^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|\d{12})$/;

/**
 * A backup policy of an AWS organization: the rules of a plan, for every member account, from the same declaration. It
 * belongs into a stack of the management account, or of the delegated administrator of policies.
 *
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup.html
 */
export class OrganizationBackupPolicy extends Construct {
  /** Id of the policy. */
  public readonly policyId: string;

  constructor(scope: Construct, id: string, props: OrganizationBackupPolicyProps) {
    super(scope, id);
    const rules = props.rules ?? BackupRules.hourly7DaysDaily35Days();
    const { partition } = props.regime;
    const name = Token.isUnresolved(props.policyName)
      ? this.node.id
      : (props.policyName ?? this.node.path.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(-50));
    this.check(props, rules);
    const owner = props.copyAccount ?? '$account';
    const document = policyDocument({
      planName: name,
      regions: props.regions,
      rules,
      vaultName: props.vaultName,
      airGappedVaultArn:
        props.airGappedVaultName &&
        `arn:${partition}:backup:$region:$account:backup-vault:${props.airGappedVaultName}`,
      copyVaultArns: (props.copies ?? []).map(
        (region) => `arn:${partition}:backup:${region}:${owner}:backup-vault:${props.vaultName}`,
      ),
      roleArn: `arn:${partition}:iam::$account:role/${props.roleName ?? 'service-role/AWSBackupDefaultServiceRole'}`,
      tags: props.tags ?? { 'sovereign-backup': 'protected' },
      // Several types may share the form of their ARNs.
      resourceTypes: [...new Set((props.types ?? []).map((type) => type.arnIn(partition)))],
      windowsVss: props.windowsVss ?? false,
      malwareScanRoleArn:
        props.malwareScanRoleName && `arn:${partition}:iam::$account:role/${props.malwareScanRoleName}`,
    });
    const size = JSON.stringify(document).length;
    if (size > MOST_CHARACTERS) {
      addProblem(
        this,
        `is ${size} characters long, and a backup policy may have ${MOST_CHARACTERS}: use fewer rules, types or regions, ` +
          'or make a second policy',
      );
    }
    const policy = new CfnPolicy(this, 'Resource', {
      name,
      type: 'BACKUP_POLICY',
      description: `Backups of ${props.regime.id}: ${props.regions.join(', ')}`,
      content: document,
      targetIds: props.targetIds,
    });
    this.policyId = policy.attrId;
  }

  private check(props: OrganizationBackupPolicyProps, rules: readonly BackupRule[]): void {
    const { regime, regions, copies = [] } = props;
    if (regions.length === 0)
      addProblem(this, 'has no regions, so nothing is ever backed up: name one of the regime');
    for (const region of regions) {
      const problem = homeRegionProblem(region, regime);
      if (problem) addProblem(this, `a policy of '${regime.id}': ${problem}`);
      for (const to of copies.filter((copy) => copy !== region && !problem)) {
        const move = moveProblem({ what: Cargo.BACKUP, from: region, to, regime, now: new Date() });
        if (move) addProblem(this, move);
        const near = move ? undefined : separationProblem(region, to);
        if (near?.tooNear) addProblem(this, near.text);
        else if (near) addWarning(this, 'copies-near', near.text);
      }
      if (copies.includes(region) && props.copyAccount === undefined) {
        addProblem(
          this,
          `copies from ${region} into the same vault: take ${region} out of copies, or name a copyAccount`,
        );
      }
    }
    const stuck = (props.types ?? []).filter(({ copyable }) => copyable === false).map(({ name }) => name);
    if (copies.length > 0 && stuck.length > 0) {
      addProblem(
        this,
        `copies to ${copies.join(', ')}, and AWS Backup does not copy recovery points of ${stuck.join(', ')} to another region ` +
          'or account: protect these by a policy without copies',
      );
    }
    if (rules.length === 0)
      addProblem(this, 'has no rules, so nothing is ever backed up: add BackupRule.daily()');
    for (const rule of rules) {
      for (const problem of [...ruleProblems(rule), ...policyProblems(rule, props)])
        addProblem(this, `rule '${rule.ruleName}': ${problem}`);
      const { copies: own, copiesWithLifecycle, airGappedVault } = rule.props;
      if (own?.length || copiesWithLifecycle?.length || airGappedVault) {
        addProblem(
          this,
          `rule '${rule.ruleName}' names vaults, which a policy for many accounts cannot: use copies and airGappedVaultName of ` +
            'the policy',
        );
      }
    }
    for (const target of props.targetIds ?? []) {
      // The unit may be made in the same stack.
      if (TARGET.test(target) || Token.isUnresolved(target)) continue;
      addProblem(
        this,
        `targetIds has '${target}': write a root (r-...), a unit (ou-...) or an account (12 digits)`,
      );
    }
    const { airGappedVaultName: gapped } = props;
    if (gapped !== undefined && !Token.isUnresolved(gapped)) {
      for (const problem of nameProblems(gapped)) addProblem(this, `airGappedVaultName: ${problem}`);
    }
    // A policy has all three among its keys, which no token can be.
    for (const problem of nameProblems(props.vaultName)) addProblem(this, problem);
    if (props.copyAccount !== undefined && !/^\d{12}$/.test(props.copyAccount)) {
      addProblem(this, `copyAccount is '${props.copyAccount}', write 12 digits, and no token`);
    }
    if (Token.isUnresolved(props.policyName)) {
      addProblem(this, 'policyName is known only at deployment: write it out');
    }
    if (Object.keys(props.tags ?? {}).length > MOST_CONDITIONS) {
      addProblem(
        this,
        `tags has more than ${MOST_CONDITIONS} tags, a backup policy takes ${MOST_CONDITIONS} of a selection`,
      );
    }
  }
}

/** What a plan can and a policy of an organization cannot say. */
function policyProblems(rule: BackupRule, { malwareScanRoleName }: OrganizationBackupPolicyProps): string[] {
  const zone = rule.props.timeZone?.timezoneName;
  return [
    ...(zone === undefined || /^(Etc\/)?UTC$/.test(zone)
      ? []
      : [
          `its time zone is ${zone}, schedules of an organization are in UTC: write the schedule so, without a timeZone`,
        ]),
    ...(rule.props.malwareScan && malwareScanRoleName === undefined
      ? ['scans for malware: give the policy a malwareScanRoleName']
      : []),
    ...indexProblems(rule),
  ];
}
