import { CfnResource, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { addProblem } from '../problems';
import { parseDay } from '../regime/exception-check';
import { isUnresolved } from '../regime/region-check';
import type { IRegimeVault } from './regime-vault-props';
import { placeOfVault } from './vault-place';

/** What is held, and why. */
export interface LegalHoldProps {
  /** The matter. */
  readonly title: string;

  /** Who asked for it and what it is about. No personal data. */
  readonly description: string;

  /** The first day of the recovery points that are held, as `YYYY-MM-DD`. */
  readonly fromDay: string;

  /** The last day, as `YYYY-MM-DD`. */
  readonly toDay: string;

  /**
   * The vaults whose recovery points are held.
   *
   * @default - every vault of the region
   */
  readonly vaults?: IRegimeVault[];

  /**
   * The resources whose recovery points are held, by ARN.
   *
   * @default - every resource
   */
  readonly resourceArns?: string[];
}

/**
 * Recovery points that stay, whatever their lifecycle says, until somebody releases the hold.
 *
 * CloudFormation does not have the type in every region yet; where it is missing, CDK's own validation says so.
 * It stays when it is taken out of the stack: releasing it is a decision, not a deployment.
 *
 * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/legal-holds.html
 */
export class LegalHold extends Construct {
  /** ARN of the hold. */
  public readonly legalHoldArn: string;

  constructor(scope: Construct, id: string, props: LegalHoldProps) {
    super(scope, id);
    const [from, to] = [parseDay(props.fromDay), parseDay(props.toDay)];
    for (const [what, day, parsed] of [
      ['fromDay', props.fromDay, from],
      ['toDay', props.toDay, to],
    ] as const) {
      if (parsed === undefined && !isUnresolved(day))
        addProblem(this, `${what} is '${day}', write a day as YYYY-MM-DD`);
    }
    if (from !== undefined && to !== undefined && to < from) {
      addProblem(this, `toDay (${props.toDay}) is before fromDay (${props.fromDay})`);
    }
    if (props.vaults?.length === 0 || props.resourceArns?.length === 0) {
      addProblem(this, 'holds an empty list: name what is held, or leave the list out for everything');
    }
    for (const vault of props.vaults ?? []) {
      const [place, here] = [placeOfVault(vault), Stack.of(this)];
      const known = (text: string) => !isUnresolved(text);
      for (const what of ['region', 'account'] as const) {
        if (place[what] === here[what] || ![place[what], here[what]].every(known)) continue;
        addProblem(
          this,
          `the vault ${vault.vaultName} is in ${what} ${place[what]} and the hold in ${here[what]}: a hold names vaults of its ` +
            'own account and region, put one there',
        );
      }
    }
    for (const what of ['title', 'description'] as const) {
      if (props[what].trim() === '') addProblem(this, `${what} is empty: say whose matter it is`);
    }
    // The oldest aws-cdk-lib that this package works with has no CfnLegalHold yet.
    const hold = new CfnResource(this, 'Resource', {
      type: 'AWS::Backup::LegalHold',
      properties: {
        Title: props.title,
        Description: props.description,
        RecoveryPointSelection: {
          VaultNames: props.vaults?.map((vault) => vault.vaultName),
          ResourceIdentifiers: props.resourceArns,
          DateRange: { FromDate: `${props.fromDay}T00:00:00Z`, ToDate: `${props.toDay}T23:59:59Z` },
        },
      },
    });
    hold.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.legalHoldArn = hold.ref;
  }
}
