/** A resource that a restore test has just made, as AWS Backup describes the job that made it. */
export interface Restored {
  readonly restoreJobId: string;
  /** As AWS Backup names types: `EC2`, `RDS`, `S3`. */
  readonly resourceType: string;
  /** ARN of the new resource. AWS Backup deletes it after the verdict. */
  readonly arn: string;
  /** ARN of the resource that had been backed up. */
  readonly sourceArn?: string;
  readonly recoveryPointArn?: string;
  /** When the recovery point was taken. */
  readonly recoveryPointAt?: Date;
}

/** How the check is called off in good time: the verdict has to be reported while the function still runs. */
export interface Run {
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Waits; throws `ValidationFailure` when the deadline would pass. */
  pause(milliseconds: number, waitingFor: string): Promise<void>;
}

/** The restored resource is not what it should be: the drill has failed. The message is the reason in the report. */
export class ValidationFailure extends Error {}

/**
 * One way to tell whether a restored resource is worth anything.
 *
 * To add one: write it in a file of its own, register it in `validators.ts`, and give `RestoreValidator` a factory.
 *
 * @param settings what the selection was declared with, as JSON
 * @returns what was found, in one sentence
 * @throws ValidationFailure when the resource is no good; anything else that is thrown means "could not be checked"
 */
export type Validator<Settings> = (restored: Restored, settings: Settings, run: Run) => Promise<string>;

/** The last part of an ARN: the id or the name. */
export function nameIn(arn: string): string {
  return arn.slice(Math.max(arn.lastIndexOf(':'), arn.lastIndexOf('/')) + 1);
}
