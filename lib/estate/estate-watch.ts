import { type Duration, Stack } from 'aws-cdk-lib';
import { type AuditReport, BackupAudit } from '../audit';
import type { PrivacyRegime, TransferException } from '../regime';
import type { RegimeVault } from '../vault';
import { BackupWatch, type WatchSeverity } from '../watch';
import type { EstateTerritory } from './territory';

/** How the estate is watched. */
export interface EstateWatch {
  /**
   * Whether it is.
   *
   * @default true
   */
  readonly enabled?: boolean;

  /**
   * Events that matter less are not watched.
   *
   * @default WatchSeverity.WARNING
   */
  readonly lowestSeverity?: WatchSeverity;

  /**
   * How often is looked for resources without a recent recovery point.
   *
   * @default Duration.minutes(15)
   */
  readonly surveyEvery?: Duration;

  /**
   * How long a copy may take.
   *
   * @default Duration.hours(24)
   */
  readonly copiesWithin?: Duration;

  /**
   * Where it is written what to do; the anchor of the alarm's section is put behind it.
   *
   * @default - the page about the watch in the repository of this package
   */
  readonly runbookUrl?: string;
}

/** How the estate is audited. AWS Config must record resources in each home region. */
export interface EstateAudit {
  /**
   * How long a restore may take.
   *
   * @default - not audited
   */
  readonly restoreWithin?: Duration;

  /**
   * What is reported every day. With many territories at home in one region name fewer: a region has 20 report plans.
   *
   * @default - all of it
   */
  readonly reports?: AuditReport[];

  /**
   * How long reports are kept.
   *
   * @default - three years
   */
  readonly retention?: Duration;
}

export interface WatchedVault {
  readonly regime: PrivacyRegime;
  readonly vault: RegimeVault;
}

/** One watch for each vault: of a home region with all that is made there, of a copy region for what is tried there. */
export function watchEstate(
  vaults: readonly WatchedVault[],
  territories: readonly EstateTerritory[],
  options: EstateWatch,
  exceptions?: TransferException[],
): BackupWatch[] {
  const { enabled = true, ...shared } = options;
  if (!enabled) return [];
  return vaults.map(({ regime, vault }) => {
    const here = territories.filter((territory) => territory.vault === vault);
    return new BackupWatch(Stack.of(vault), `Watch-${regime.id}`, {
      ...shared,
      regime: vault.regime,
      exceptions,
      vaults: [vault],
      plans: here.map(({ plan }) => plan),
      snapshots: here.flatMap(({ snapshots }) => snapshots ?? []),
      caches: here.flatMap(({ caches }) => caches ?? []),
      drills: here.flatMap(({ restoreTests }) => restoreTests ?? []),
      dashboard: here.length > 0,
    });
  });
}

/** One audit for each territory. */
export function auditEstate(territories: readonly EstateTerritory[], options: EstateAudit): BackupAudit[] {
  return territories.map(
    ({ regime, stack, plan }) =>
      new BackupAudit(stack, `Audit-${regime.id}`, { ...options, regime, plans: [plan] }),
  );
}
