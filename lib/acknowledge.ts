import { Stack, Validations } from 'aws-cdk-lib';
import { CfnManagedPolicy, CfnPolicy, CfnRole } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/**
 * Says why a finding of cdk-nag is meant; it concerns nobody who does not use cdk-nag.
 *
 * What `Validations.of(scope).acknowledge` notes, under the key that it has for it, all in one: CDK's own way takes a
 * stack trace and a walk over the tree for each finding, and before aws-cdk-lib 2.269 refuses those that name an ARN.
 */
export function acknowledge(scope: IConstruct, findings: { readonly [id: string]: string }): void {
  if (Object.keys(findings).length === 0) return;
  scope.node.addMetadata(Validations.ACKNOWLEDGED_RULES_METADATA_KEY, findings);
}

/** The packs of cdk-nag besides its own solutions, whose rules go by the same names. */
export const CONTROL_PACKS: readonly string[] = ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321'];

/** The same rule under each pack that has it. */
export function inPacks(packs: readonly string[], rule: string, reason: string): { [id: string]: string } {
  return Object.fromEntries(packs.map((pack) => [`${pack}::${pack}-${rule}`, reason]));
}

/** Every asterisk of the policies at and under a construct: cdk-nag wants each of them named. */
export function acknowledgeWildcards(scope: IConstruct, reason: string): void {
  const stack = Stack.of(scope);
  const ids = new Set<string>();
  for (const child of scope.node.findAll()) {
    if (!CfnPolicy.isCfnPolicy(child) && !CfnManagedPolicy.isCfnManagedPolicy(child)) continue;
    for (const statement of stack.resolve(child.policyDocument)?.Statement ?? []) {
      for (const action of [statement.Action].flat()) if (action.includes('*')) ids.add(`Action::${action}`);
      for (const resource of listOf(statement.Resource).map(flat)) {
        if (resource.includes('*')) ids.add(`Resource::${resource}`);
      }
    }
  }
  acknowledge(scope, named('IAM5', ids, reason));
}

/** Every AWS managed policy of a role. */
export function acknowledgeManagedPolicies(scope: IConstruct, reason: string): void {
  const ids = new Set<string>();
  for (const child of scope.node.findAll()) {
    if (!CfnRole.isCfnRole(child)) continue;
    const arns = Stack.of(scope).resolve(child.managedPolicyArns) as unknown[] | undefined;
    for (const arn of (arns ?? []).map(flat)) if (arn.includes(':iam::aws:')) ids.add(`Policy::${arn}`);
  }
  acknowledge(scope, named('IAM4', ids, reason));
}

function named(rule: string, ids: Iterable<string>, reason: string): { [id: string]: string } {
  return Object.fromEntries([...ids].map((id) => [`AwsSolutions::AwsSolutions-${rule}[${id}]`, reason]));
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/** An ARN as cdk-nag writes it: references in angle brackets. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value.replace(/\$\{([^}]+)\}/g, '<$1>');
  const intrinsic = value as {
    Ref?: string;
    'Fn::GetAtt'?: string[];
    'Fn::Join'?: [string, unknown[]];
    'Fn::Sub'?: string;
  };
  if (intrinsic?.Ref) return `<${intrinsic.Ref}>`;
  if (intrinsic?.['Fn::GetAtt']) return `<${intrinsic['Fn::GetAtt'].join('.')}>`;
  if (intrinsic?.['Fn::Join']) return intrinsic['Fn::Join'][1].map(flat).join(intrinsic['Fn::Join'][0]);
  if (typeof intrinsic?.['Fn::Sub'] === 'string')
    return intrinsic['Fn::Sub'].replace(/\$\{([^}]+)\}/g, '<$1>');
  return JSON.stringify(value);
}
