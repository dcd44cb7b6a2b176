import {
  bucketStatements,
  copyStatements,
  documentOf,
  type GuardInput,
  keyStatements,
  onResource,
  type PolicyDocument,
  regionStatements,
  type Statement,
  vaultStatements,
} from './documents';
import { pack, SCP_LIMIT, sizeOf } from './pack';

export interface NamedPolicy {
  readonly name: string;
  readonly characters: number;
  readonly document: PolicyDocument;
}

/** Everything that keeps an account in its regime, as JSON: what `sovereign-backup guard` prints. */
export interface GuardDocuments {
  readonly schemaVersion: 1;
  readonly regime: string;
  readonly regions: readonly string[];
  readonly serviceControlPolicies: readonly NamedPolicy[];
  readonly vaultPolicy: PolicyDocument;
  readonly bucketPolicy: PolicyDocument;
  /** To be added to a key's policy, which must itself give somebody the administration of the key. */
  readonly keyPolicyStatements: readonly Statement[];
  readonly notes: readonly string[];
}

export function serviceControlPolicies(input: GuardInput): NamedPolicy[] {
  const named = (part: string, statements: readonly Statement[]) => {
    const documents = pack(statements);
    return documents.map((document, i) => ({
      name: `residency-${input.regime}-${part}${documents.length > 1 ? `-${i + 1}` : ''}`,
      characters: sizeOf(document),
      document,
    }));
  };
  return [...named('regions', regionStatements(input)), ...named('copies', copyStatements(input))];
}

export function guardDocuments(input: GuardInput, bucketArn: string): GuardDocuments {
  const policies = serviceControlPolicies(input);
  return {
    schemaVersion: 1,
    regime: input.regime,
    regions: input.regions,
    serviceControlPolicies: policies,
    vaultPolicy: documentOf(onResource(vaultStatements(input))),
    bucketPolicy: documentOf(onResource(bucketStatements(input, bucketArn))),
    keyPolicyStatements: onResource(keyStatements(input)),
    notes: notesOf(input, policies.length),
  };
}

function notesOf(input: GuardInput, policies: number): string[] {
  return [
    `${policies} service control policies, because one may have ${SCP_LIMIT} characters; attach all of them.`,
    'Attach them to accounts or units whose data belongs to this one regime: a call tells where it is made, not whose data it copies.',
    'Service control policies bind neither the management account nor service-linked roles; the policies of vault, bucket and key bind every principal but service-linked roles.',
    input.deployers.length === 0
      ? 'Nobody may set up replication of which IAM cannot see the destination: no deployer is named.'
      : `Replication of which IAM cannot see the destination may be set up only by ${input.deployers.join(', ')}: audit every template before that role deploys it.`,
  ];
}
