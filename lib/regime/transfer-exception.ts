import type { PrivacyRegime } from './privacy-regime';

/** What may travel from one region to another. */
export enum Cargo {
  /** AWS Backup recovery points. */
  BACKUP = 'backup',
  /** EBS and RDS snapshots, machine images made of them. */
  SNAPSHOT = 'snapshot',
  /** Live replicas of a database, table or file system. */
  REPLICA = 'replica',
  /** Key material: who has it can open what it encrypted. */
  KEY = 'key',
  /** Secrets. */
  SECRET = 'secret',
  /** Container images. */
  IMAGE = 'image',
  /** Logs. */
  LOG = 'log',
  /** Events. */
  EVENT = 'event',
  /** Data about data: names, tags, job records. */
  METADATA = 'metadata',
  /** Objects of a bucket. */
  OBJECT = 'object',
}

/**
 * Leave to move data from one regime to another: directed, dated and signed by somebody.
 *
 * An adequacy decision makes a transfer lawful, and it stays a transfer. Synthesis fails after `expires`, and warns in
 * the 90 days before.
 */
export interface TransferException {
  /** The regime that the data leaves. The other direction needs an exception of its own. */
  readonly from: PrivacyRegime;

  /** The regime that receives it. */
  readonly to: PrivacyRegime;

  /** The legal basis, as in `UK adequacy regulations, DPA 2018 Sch. 21`. */
  readonly instrument: string;

  /** Who approved it: a person or an office that can be asked. */
  readonly approvedBy: string;

  /** The last day on which it holds, as `YYYY-MM-DD` (UTC). */
  readonly expires: string;

  /**
   * What may be moved.
   *
   * @default - everything
   */
  readonly what?: Cargo[];
}
