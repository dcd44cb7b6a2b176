import { Duration, Token } from 'aws-cdk-lib';
import type { CfnLifecyclePolicy } from 'aws-cdk-lib/aws-dlm';

const LONGEST_SECONDS = 120;
const SHORTEST_SECONDS = 10;
const MOST_RETRIES = 3;
const NAME = /^[\w.-]{3,128}$/;
const ARN = /^arn:[\w-]+:ssm:[a-z0-9-]+:\d{12}:document\/[\w.-]{3,128}$/;

const matches = (text: string, form: RegExp): boolean => Token.isUnresolved(text) || form.test(text);

/** What is done when a script fails. */
export interface SnapshotScriptFailure {
  /**
   * Skip the instance rather than take a snapshot that is crash-consistent only.
   *
   * @default false
   */
  readonly skipInstance?: boolean;

  /**
   * How often Data Lifecycle Manager tries again, 0 to 3.
   *
   * @default 0
   */
  readonly retries?: number;
}

/** When a script of a Systems Manager document runs, and for how long it may. */
export interface SnapshotScriptOptions extends SnapshotScriptFailure {
  /**
   * Run the document's `pre-script` before the snapshot.
   *
   * @default true
   */
  readonly before?: boolean;

  /**
   * Run the document's `post-script` after the snapshot was begun.
   *
   * @default true
   */
  readonly after?: boolean;

  /**
   * How long each of the two may take, 10 to 120 seconds; an application that is held still waits for so long.
   *
   * @default Duration.seconds(10)
   */
  readonly timeout?: Duration;
}

/**
 * What Systems Manager runs on an instance before and after its volumes are snapshotted, so that the snapshots are
 * consistent for the application and not only as after a power cut. The instances need the SSM agent and an instance
 * profile that lets it work.
 *
 * @see https://docs.aws.amazon.com/ebs/latest/userguide/automate-app-consistent-backups.html
 */
export class SnapshotScript {
  /**
   * Windows instances, by Volume Shadow Copy Service; the AWS VSS components have to be installed.
   *
   * @param failure what is done when it fails
   */
  public static vss(failure: SnapshotScriptFailure = {}): SnapshotScript {
    return new SnapshotScript('AWS_VSS_BACKUP', 'AWSEC2-CreateVssSnapshot', 'aws', failure);
  }

  /**
   * SAP HANA databases, by the document that AWS keeps for them.
   *
   * @param options when it runs, and what is done when it fails
   */
  public static sapHana(options: SnapshotScriptOptions = {}): SnapshotScript {
    const document = 'AWSSystemsManagerSAP-CreateDLMSnapshotForSAPHANA';
    return new SnapshotScript(document, document, 'aws', options);
  }

  /**
   * A Systems Manager document of this account and region, of type Command, which is called with the parameter
   * `command`: `pre-script`, `post-script` or `dry-run`. It must have the tag `DLMScriptsAccess` with the value `true`.
   *
   * @param name the document's name
   * @param options when it runs, and what is done when it fails
   */
  public static document(name: string, options: SnapshotScriptOptions = {}): SnapshotScript {
    return new SnapshotScript(name, name, 'own', options);
  }

  /**
   * The same, of a document that another account shares.
   *
   * @param arn the document's ARN
   * @param options when it runs, and what is done when it fails
   */
  public static sharedDocument(arn: string, options: SnapshotScriptOptions = {}): SnapshotScript {
    return new SnapshotScript(arn, arn, 'other', options);
  }

  private constructor(
    private readonly handler: string,
    /** @internal The document that Systems Manager runs. */
    public readonly _document: string,
    /** @internal Whose it is, which tells how it is named. */
    public readonly _owner: 'aws' | 'own' | 'other',
    private readonly options: SnapshotScriptOptions,
  ) {}

  /** @internal */
  public _problems(): string[] {
    const { retries = 0, before = true, after = true, skipInstance, timeout } = this.options;
    const problems: string[] = [];
    const shared = this._owner === 'other';
    if (!matches(this._document, shared ? ARN : NAME)) {
      const wanted = shared
        ? 'the ARN of a Systems Manager document, as in arn:aws:ssm:eu-central-1:111111111111:document/Freeze'
        : "the name of a Systems Manager document: 3 to 128 letters, digits, '_', '-' and '.'";
      problems.push(`scripts: '${this._document}' is not ${wanted}`);
    }
    if (
      !Token.isUnresolved(retries) &&
      !(Number.isInteger(retries) && retries >= 0 && retries <= MOST_RETRIES)
    )
      problems.push(`scripts: retries is ${retries}, write a whole number from 0 to ${MOST_RETRIES}`);
    if (!before && !after) problems.push('scripts: run neither before nor after, leave scripts out instead');
    if (!before && skipInstance) {
      problems.push(
        'scripts: skipInstance is about what runs before the snapshot, and nothing does: leave it out',
      );
    }
    const seconds = timeout && !timeout.isUnresolved() ? timeout.toSeconds({ integral: false }) : undefined;
    if (
      seconds !== undefined &&
      !(Number.isInteger(seconds) && seconds >= SHORTEST_SECONDS && seconds <= LONGEST_SECONDS)
    ) {
      problems.push(
        `scripts: timeout is ${seconds} s, write whole seconds from ${SHORTEST_SECONDS} to ${LONGEST_SECONDS}`,
      );
    }
    return problems;
  }

  /** @internal */
  public _property(): CfnLifecyclePolicy.ScriptProperty {
    const { retries = 0, before = true, after = true, skipInstance = false, timeout } = this.options;
    const common = {
      executionHandler: this.handler,
      maximumRetryCount: retries,
      executeOperationOnScriptFailure: before ? !skipInstance : undefined,
    };
    // VSS has its own idea of the rest, and the service refuses it.
    if (this.handler === 'AWS_VSS_BACKUP') return common;
    return {
      ...common,
      executionHandlerService: 'AWS_SYSTEMS_MANAGER',
      executionTimeout: (timeout ?? Duration.seconds(SHORTEST_SECONDS)).toSeconds({ integral: false }),
      stages: [...(before ? ['PRE'] : []), ...(after ? ['POST'] : [])],
    };
  }
}
