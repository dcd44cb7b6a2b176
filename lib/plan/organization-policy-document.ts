import type { BackupRule } from './backup-rule';

/** Inheritance operators say how a child policy may change a value; all of ours set it. */
const assign = (value: unknown) => ({ '@@assign': value });
/** Numbers and flags are text in policies of an organization. */
const text = (value: number | boolean) => assign(String(value));

export interface PolicyDeclaration {
  readonly planName: string;
  readonly regions: readonly string[];
  readonly rules: readonly BackupRule[];
  readonly vaultName: string;
  /** With `$region` and `$account` for the member's own. */
  readonly airGappedVaultArn?: string;
  /** ARNs of the vaults that are copied to, `$account` for the member's own account. */
  readonly copyVaultArns: readonly string[];
  readonly roleArn: string;
  readonly tags: { readonly [key: string]: string };
  /** ARN patterns; empty for every type that the region's opt-in settings allow. */
  readonly resourceTypes: readonly string[];
  readonly windowsVss: boolean;
  /** With `$account` for the member's own account. */
  readonly malwareScanRoleArn?: string;
}

/**
 * The document of a backup policy.
 *
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_backup_syntax.html
 */
export function policyDocument(policy: PolicyDeclaration): object {
  return {
    plans: {
      [policy.planName]: {
        regions: assign(policy.regions),
        rules: Object.fromEntries(policy.rules.map((rule) => [rule.ruleName, ruleOf(rule, policy)])),
        selections: selectionsOf(policy),
        ...(policy.malwareScanRoleArn
          ? {
              scan_settings: {
                GUARDDUTY: {
                  resource_types: assign(['ALL']),
                  scanner_role_arn: assign(policy.malwareScanRoleArn),
                },
              },
            }
          : {}),
        ...(policy.windowsVss
          ? { advanced_backup_settings: { ec2: { windows_vss: assign('enabled') } } }
          : {}),
      },
    },
  };
}

function ruleOf(rule: BackupRule, policy: PolicyDeclaration): object {
  const { props } = rule;
  const cold = props.moveToColdStorageAfter?.toDays();
  return {
    schedule_expression: assign(props.schedule.expressionString),
    start_backup_window_minutes: text(rule.startWindowMinutes),
    complete_backup_window_minutes: text(rule.completionWindowMinutes),
    ...(props.continuous ? { enable_continuous_backup: text(true) } : {}),
    target_backup_vault_name: assign(policy.vaultName),
    ...(policy.airGappedVaultArn
      ? { target_logically_air_gapped_backup_vault_arn: assign(policy.airGappedVaultArn) }
      : {}),
    lifecycle: lifecycleOf(rule.retentionDays, cold, props.archiveSnapshots),
    ...(props.recoveryPointTags ? { recovery_point_tags: tagsOf(props.recoveryPointTags) } : {}),
    ...(policy.copyVaultArns.length > 0
      ? {
          copy_actions: Object.fromEntries(
            policy.copyVaultArns.map((arn) => [
              arn,
              {
                target_backup_vault_arn: assign(arn),
                lifecycle: lifecycleOf(rule.copyRetentionDays, cold, props.archiveSnapshots),
              },
            ]),
          ),
        }
      : {}),
    ...(props.index?.length
      ? { index_actions: { resource_types: assign(props.index.map(({ name }) => name)) } }
      : {}),
    ...(props.malwareScan ? { scan_actions: { GUARDDUTY: { scan_mode: assign(props.malwareScan) } } } : {}),
  };
}

function lifecycleOf(days: number, cold?: number, archive?: boolean): object {
  return {
    delete_after_days: text(days),
    ...(cold === undefined ? {} : { move_to_cold_storage_after_days: text(cold) }),
    ...(archive ? { opt_in_to_archive_for_supported_resources: text(true) } : {}),
  };
}

function tagsOf(tags: { readonly [key: string]: string }): object {
  return Object.fromEntries(
    Object.entries(tags).map(([key, value]) => [key, { tag_key: assign(key), tag_value: assign(value) }]),
  );
}

/** By tag alone, or by type with all tags as conditions. */
function selectionsOf({ tags, resourceTypes, roleArn }: PolicyDeclaration): object {
  const role = { iam_role_arn: assign(roleArn) };
  const entries = Object.entries(tags);
  if (resourceTypes.length === 0 && entries.length === 1) {
    const [key, value] = entries[0]!;
    return { tags: { protected: { ...role, tag_key: assign(key), tag_value: assign([value]) } } };
  }
  const conditions = {
    string_equals: Object.fromEntries(
      entries.map(([key, value], i) => [
        `tag${i + 1}`,
        { condition_key: assign(`aws:ResourceTag/${key}`), condition_value: assign(value) },
      ]),
    ),
  };
  return {
    resources: {
      protected: {
        ...role,
        resource_types: assign(resourceTypes.length > 0 ? resourceTypes : ['*']),
        ...(entries.length > 0 ? { conditions } : {}),
      },
    },
  };
}
