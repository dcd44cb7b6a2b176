import { AnyPrincipal, ArnPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Nobody deletes a recovery point or changes when it expires; AWS Backup's own expiry is not an API call. */
export function denyDeletion(vaultIsRemovable: boolean): PolicyStatement {
  return new PolicyStatement({
    sid: 'NobodyDeletes',
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: [
      'backup:DeleteRecoveryPoint',
      'backup:DisassociateRecoveryPoint',
      'backup:UpdateRecoveryPointLifecycle',
      ...(vaultIsRemovable ? [] : ['backup:DeleteBackupVault', 'backup:DeleteBackupVaultAccessPolicy']),
    ],
    resources: ['*'],
  });
}

/**
 * Nobody copies a recovery point to a vault that is not among these.
 *
 * Two statements, because one quantifier alone leaves a hole: ForAllValues also denies a request that names no target,
 * ForAnyValue also denies one that hides a foreign target behind an allowed one.
 */
export function denyCopyOut(allowedVaults: string[]): PolicyStatement[] {
  return [
    ['CopiesStayInTheRegime', 'ForAllValues:ArnNotLike'],
    ['NoCopyLeavesTheRegime', 'ForAnyValue:ArnNotLike'],
  ].map(
    ([sid, operator]) =>
      new PolicyStatement({
        sid,
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['backup:CopyFromBackupVault'],
        resources: ['*'],
        conditions: { [operator]: { 'backup:CopyTargets': allowedVaults } },
      }),
  );
}

/** Another account of the organization may copy into the vault. */
export function allowCopyIn(accountRootArns: string[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'OtherAccountsCopyIn',
    principals: accountRootArns.map((arn) => new ArnPrincipal(arn)),
    actions: ['backup:CopyIntoBackupVault'],
    resources: ['*'],
  });
}
