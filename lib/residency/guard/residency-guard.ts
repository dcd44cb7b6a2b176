import { Token } from 'aws-cdk-lib';
import type { BackupVault } from 'aws-cdk-lib/aws-backup';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { CfnPolicy } from 'aws-cdk-lib/aws-organizations';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { DeclarationError } from '../../errors';
import { addProblem } from '../../problems';
import type { PrivacyRegime } from '../../regime';
import { reviewException } from '../../regime/exception-check';
import type { TransferException } from '../../regime/transfer-exception';
import {
  bucketStatements,
  type GuardInput,
  keyStatements,
  onResource,
  type Statement,
  usualDeployers,
  vaultStatements,
} from './documents';
import { serviceControlPolicies } from './guard';

/** What a guard lets pass. */
export interface ResidencyGuardProps {
  /** The regime in which the data stays. */
  readonly regime: PrivacyRegime;

  /**
   * Transfers out of the regime that are allowed. Those from other regimes say nothing here.
   *
   * @default - nothing leaves the regime
   */
  readonly exceptions?: TransferException[];

  /**
   * ARN patterns of the roles that may set up replication of which IAM cannot see the destination (S3, ECR, EFS,
   * Redshift and others). Name only roles that deploy templates which `ResidencyPolicy` or the audit has passed.
   *
   * @default - CloudFormation's role of a CDK bootstrap, `role/cdk-*-cfn-exec-role-*` in any account
   */
  readonly deployers?: string[];

  /**
   * ARN patterns of the principals to whom no statement applies, such as a break-glass role.
   *
   * @default - none
   */
  readonly exempt?: string[];
}

/**
 * Statements that keep the data of vaults, buckets and keys in a regime, whoever asks: the same policy by which the
 * audit judges the templates, enforced in the account.
 */
export class ResidencyGuard {
  /** @internal */
  public readonly _input: GuardInput;

  /**
   * @throws when an exception is expired, or malformed
   */
  constructor(props: ResidencyGuardProps) {
    const { regime } = props;
    const exceptions = (props.exceptions ?? []).filter(({ from }) => from.id === regime.id);
    const problems = exceptions.flatMap((exception) => reviewException(exception, new Date()).errors);
    if (problems.length > 0) throw new DeclarationError(`residency guard: ${problems.join('; ')}`);
    this._input = {
      regime: regime.id,
      partition: regime.partition,
      regions: regime.regions,
      transfers: exceptions.map(({ to, what }) => ({ regions: to.regions, what })),
      deployers: props.deployers ?? usualDeployers(regime.partition),
      exempt: props.exempt ?? [],
    };
  }

  /**
   * Denies copies of the vault's recovery points to vaults outside the regime.
   *
   * @see https://docs.aws.amazon.com/aws-backup/latest/devguide/create-a-vault-access-policy.html
   */
  public protectVault(vault: BackupVault): void {
    for (const statement of this.vaultStatements()) vault.addToAccessPolicy(statement);
  }

  /**
   * Denies replicas of the key outside the regime, and making one of them the primary.
   *
   * @throws when the key is imported, so that its policy is not this app's to change
   * @see https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-auth.html
   */
  public protectKey(key: IKey): void {
    for (const statement of this.keyStatements()) {
      if (!key.addToResourcePolicy(statement, true).statementAdded)
        throw new DeclarationError(notOurs(key.node.path));
    }
  }

  /**
   * Denies changes of the bucket's replication to everyone but the deployers.
   *
   * @throws when the bucket is imported, so that its policy is not this app's to change
   */
  public protectBucket(bucket: IBucket): void {
    for (const statement of asStatements(bucketStatements(this._input, bucket.bucketArn))) {
      if (!bucket.addToResourcePolicy(statement).statementAdded)
        throw new DeclarationError(notOurs(bucket.node.path));
    }
  }

  /** For the access policy of any backup vault, logically air-gapped ones included. */
  public vaultStatements(): PolicyStatement[] {
    return asStatements(vaultStatements(this._input));
  }

  /** For the policy of any key. */
  public keyStatements(): PolicyStatement[] {
    return asStatements(keyStatements(this._input));
  }
}

const USUAL_PREFIX = 'residency';

/** Where the service control policies of a guard are attached. */
export interface ResidencyGuardPoliciesProps extends ResidencyGuardProps {
  /**
   * Ids of the accounts or organizational units (`111111111111`, `ou-ab12-11111111`) whose data belongs to this one
   * regime.
   *
   * @default - the policies are created and attached to nothing
   */
  readonly targetIds?: string[];

  /**
   * What the names of the policies begin with. Names differ within an organization: a second set for the same regime, with
   * other exceptions, needs another.
   *
   * @default 'residency'
   */
  readonly namePrefix?: string;
}

/**
 * Service control policies that deny every region and every copy outside a regime. Belongs in a stack of the
 * organization's management account or of a delegated administrator, in the partition's region of AWS Organizations.
 *
 * Service control policies bind neither the management account itself nor service-linked roles.
 *
 * @see https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
 */
export class ResidencyGuardPolicies extends Construct {
  /** The policies, split so that each keeps the limit of 5,120 characters. */
  public readonly policies: CfnPolicy[];

  constructor(scope: Construct, id: string, props: ResidencyGuardPoliciesProps) {
    super(scope, id);
    const { _input: input } = new ResidencyGuard(props);
    const prefix = props.namePrefix ?? USUAL_PREFIX;
    if (!Token.isUnresolved(prefix) && !/^[\w+=,.@-]{1,60}$/.test(prefix)) {
      addProblem(this, `namePrefix is '${prefix}': use 1 to 60 letters, digits and +=,.@_-`);
    }
    this.node.addValidation({ validate: () => this.sharedNames() });
    this.policies = serviceControlPolicies(input).map(
      ({ name, document }) =>
        new CfnPolicy(this, name, {
          name: name.replace(USUAL_PREFIX, prefix),
          type: 'SERVICE_CONTROL_POLICY',
          description: `Keeps data in the privacy regime ${input.regime}`,
          content: document,
          targetIds: props.targetIds,
        }),
    );
  }

  /** Two policies of one name would fail at deployment only. */
  private sharedNames(): string[] {
    const [first] = this.policies;
    return this.node.root.node
      .findAll()
      .filter((other) => other instanceof ResidencyGuardPolicies && other !== this)
      .filter((other) => (other as ResidencyGuardPolicies).policies[0]?.name === first?.name)
      .map(
        (other) =>
          `makes policies of the same names as ${other.node.path}, which AWS Organizations refuses: give one of them a namePrefix`,
      );
  }
}

function asStatements(statements: readonly Statement[]): PolicyStatement[] {
  return onResource(statements).map((statement) => PolicyStatement.fromJson(statement));
}

function notOurs(path: string): string {
  return `residency guard: the policy of ${path} cannot be changed by this app, because it is imported; add the statements where it is declared, or with \`sovereign-backup guard\``;
}
