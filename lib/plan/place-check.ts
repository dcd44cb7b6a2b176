import type { aws_backup, ResourceEnvironment } from 'aws-cdk-lib/interfaces';
import type { Construct } from 'constructs';
import { addProblem, addWarning } from '../problems';
import { Cargo, type TransferException } from '../regime';
import { reviewException } from '../regime/exception-check';
import { homeRegionProblem, moveProblem, separationProblem } from '../regime/move-check';
import { isUnresolved } from '../regime/region-check';
import { type IRegimeVault, RegimeVault } from '../vault';
import { retentionAgainstLock } from '../vault/lock-check';
import { placeOfVault } from '../vault/vault-place';
import { isRegimeVault } from '../vault/vault-store';
import type { BackupRule } from './backup-rule';
import type { PlannedCopy } from './planned-copy';

/** A plan, and where it makes recovery points. */
export interface PlanPlace {
  readonly plan: Construct;
  readonly env: ResourceEnvironment;
  readonly vault: IRegimeVault;
  readonly exceptions?: readonly TransferException[];
}

/** Recovery points are made where the plan is, in a place of the vault's regime. */
export function checkPlace({ plan, env, vault, exceptions }: PlanPlace): void {
  const { regime } = vault;
  const place = placeOfVault(vault);
  const homeProblem = homeRegionProblem(env.region, regime);
  if (homeProblem) addProblem(plan, `a plan of '${regime.id}': ${homeProblem}`);
  else if (place.region !== env.region) {
    addProblem(
      plan,
      `its vault is in ${place.region} and the plan in ${env.region}: recovery points are made in the plan's own ` +
        'region, give a vault of it, and the other one as copies',
    );
  } else if (place.account !== env.account && ![place.account, env.account].some(isUnresolved)) {
    addProblem(
      plan,
      `its vault is in account ${place.account} and the plan in ${env.account}: recovery points are made in the plan's ` +
        'own account, give a vault of it, and the other one as copies',
    );
  }
  if (vault.airGapped) {
    addProblem(
      plan,
      'its vault is air-gapped: give an ordinary one, for types that cannot go straight into an air-gapped vault, and name ' +
        'this one in airGappedVault of the rules',
    );
  }
  for (const exception of exceptions ?? []) {
    const { errors, warnings } = reviewException(exception, new Date());
    for (const error of errors) addProblem(plan, error);
    for (const warning of warnings) addWarning(plan, 'exception-expires', warning);
  }
}

/** What may go straight into an air-gapped vault, and whether that one can take it. */
export function checkAirGap({ plan, env }: PlanPlace, rule: BackupRule): void {
  const vault = rule.props.airGappedVault;
  if (!vault) return;
  const { region, account } = placeOfVault(vault);
  if (vault.airGapped === false) {
    addProblem(
      plan,
      `rule '${rule.ruleName}': its airGappedVault ${vault.vaultName} is an ordinary vault: make an AirGappedVault, or name ` +
        'this one in copies',
    );
  }
  if (account !== env.account && !isUnresolved(account) && !isUnresolved(env.account)) {
    addProblem(
      plan,
      `rule '${rule.ruleName}': its air-gapped vault is in account ${account} and the plan in ${env.account}: recovery ` +
        "points are made in the plan's own account, copy to other accounts instead",
    );
  }
  if (region !== env.region) {
    addProblem(
      plan,
      `rule '${rule.ruleName}': its air-gapped vault is in ${isUnresolved(region) ? 'an unresolved region' : region} and ` +
        `the plan in ${env.region}: recovery points are made in the plan's own region, copy to other regions instead`,
    );
  }
  const lockProblem = vault.vaultLock && retentionAgainstLock(rule.retentionDays, vault.vaultLock);
  if (lockProblem) addProblem(plan, `rule '${rule.ruleName}', into its air-gapped vault, ${lockProblem}`);
}

/** A copy in another place than its rule may send it to, or than its vault's lock allows. */
export function checkCopy(where: PlanPlace, rule: BackupRule, { vault: target, days }: PlannedCopy): void {
  const { plan, env, vault, exceptions } = where;
  const { region, account } = placeOfVault(target);
  const problem = moveProblem({
    what: Cargo.BACKUP,
    from: env.region,
    to: region,
    regime: vault.regime,
    exceptions: exceptions && [...exceptions],
    now: new Date(),
  });
  if (problem) addProblem(plan, `rule '${rule.ruleName}': ${problem}`);
  else if (region === env.region && account === env.account) {
    if (isRegimeVault(target) && target.vaultName === vault.vaultName) {
      addProblem(plan, `rule '${rule.ruleName}' copies into its own vault: name another vault, or no copy`);
    }
  } else checkSeparation(where, region);
  if (!problem) checkPolicies(where, rule, target);
  const lock = isRegimeVault(target) ? target.vaultLock : undefined;
  const lockProblem = lock && retentionAgainstLock(days, lock);
  if (lockProblem) addProblem(plan, `rule '${rule.ruleName}': its copy in ${region} ${lockProblem}`);
}

/** A copy that a vault's policy denies would fail every night. */
function checkPolicies(
  { plan, env, vault: source }: PlanPlace,
  rule: BackupRule,
  target: aws_backup.IBackupVaultRef,
): void {
  const { region, account } = placeOfVault(target);
  if (isUnresolved(account) || isUnresolved(env.account)) return;
  if (source instanceof RegimeVault) {
    const { accounts, regions } = source._partners;
    if (!accounts.includes(account)) {
      addProblem(
        plan,
        `rule '${rule.ruleName}' copies to account ${account}, which the policy of its vault ${source.vaultName} denies: give ` +
          `that vault copyAccounts: ['${account}']`,
      );
    }
    if (!regions.includes(region)) {
      addProblem(
        plan,
        `rule '${rule.ruleName}' copies to ${region} by an exception that the policy of its vault ${source.vaultName} does not ` +
          'know: give that vault the same exceptions',
      );
    }
  }
  if (target instanceof RegimeVault && !target._partners.accounts.includes(env.account)) {
    addProblem(
      plan,
      `rule '${rule.ruleName}' copies into vault ${target.vaultName} of account ${account}, whose policy does not let it: give ` +
        `that vault copyAccounts: ['${env.account}']`,
    );
  }
}

function checkSeparation({ plan, env }: PlanPlace, region: string): void {
  const separation = separationProblem(env.region, region);
  if (separation?.tooNear) addProblem(plan, separation.text);
  else if (separation) addWarning(plan, 'copies-near', separation.text);
}
