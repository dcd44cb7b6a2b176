import type * as iam from 'aws-cdk-lib/aws-iam';
import type { aws_backup } from 'aws-cdk-lib/interfaces';
import type { IConstruct } from 'constructs';
import type { TransferException } from '../regime';
import type { IRegimeVault } from '../vault';
import type { BackupRule } from './backup-rule';
import type { ResourceType } from './resource-type';
import type { TagCondition } from './tag-condition';

/** Which vault, which rules, and where copies go. */
export interface RegimeBackupPlanProps {
  /** The vault of this stack's region in which recovery points are made. Its regime is the plan's. */
  readonly vault: IRegimeVault;

  /**
   * When recovery points are made and how long they are kept.
   *
   * @default - hourly for 7 days, and daily for 35 days
   */
  readonly rules?: BackupRule[];

  /**
   * Vaults in other regions (or accounts) to which every rule copies, unless it names its own. All of the regime.
   *
   * @default - no copies
   */
  readonly copies?: aws_backup.IBackupVaultRef[];

  /**
   * Dated leave to copy to regions of another regime.
   *
   * @default - no copy leaves the regime
   */
  readonly exceptions?: TransferException[];

  /**
   * The plan's name: letters, digits, dashes, dots and underscores.
   *
   * @default - a name made by CloudFormation of the construct's path
   */
  readonly planName?: string;

  /**
   * The role with which AWS Backup reads resources and writes recovery points.
   *
   * @default - a new role with the AWS managed policies for backups
   */
  readonly role?: iam.IRole;

  /**
   * Application-consistent backups of Windows instances.
   *
   * @default false
   */
  readonly windowsVss?: boolean;

  /**
   * The role with which GuardDuty reads the recovery points of rules that scan for malware.
   *
   * @default - none; rules cannot scan
   */
  readonly malwareScanRole?: iam.IRole;
}

/** What a plan protects. Within one selection, a resource must have all the tags. */
export interface SelectionOptions {
  /**
   * Tags that a resource must have, all of them, to be protected.
   *
   * @default - tags do not matter
   */
  readonly tags?: { [key: string]: string };

  /**
   * Types of resources. Named types are backed up whatever the region's opt-in settings say (except Aurora, Neptune and
   * DocumentDB); without types, the region's opt-in settings decide.
   *
   * @default - every type that AWS Backup supports
   */
  readonly types?: ResourceType[];

  /**
   * Single resources by ARN, besides those of `types`.
   *
   * @default - none
   */
  readonly arns?: string[];

  /**
   * Constructs: every resource under them of a type that AWS Backup protects, besides those of `types`.
   *
   * @default - none
   */
  readonly constructs?: IConstruct[];

  /**
   * Conditions on tags, besides `tags`. All of them must hold.
   *
   * @default - none
   */
  readonly conditions?: TagCondition[];

  /**
   * Tags of which a resource must have one, whatever its type. Only in a selection of its own.
   *
   * @default - none
   */
  readonly anyTags?: { [key: string]: string };

  /**
   * Resources by ARN that are left out.
   *
   * @default - none
   */
  readonly exclude?: string[];

  /**
   * Constructs whose resources are left out.
   *
   * @default - none
   */
  readonly excludeConstructs?: IConstruct[];
}
