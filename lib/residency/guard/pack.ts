import { DeclarationError } from '../../errors';
import { documentOf, type PolicyDocument, type Statement } from './documents';

/** What AWS Organizations accepts as one service control policy, white space not counted. */
export const SCP_LIMIT = 5120;

/** Statements in as few policies as the limit allows, in their order. */
export function pack(statements: readonly Statement[]): PolicyDocument[] {
  const policies: Statement[][] = [];
  for (const statement of statements) {
    if (sizeOf(documentOf([statement])) > SCP_LIMIT) {
      throw new DeclarationError(
        `guard: the statement ${statement.Sid} has ${sizeOf(documentOf([statement]))} characters, and a service ` +
          `control policy may have ${SCP_LIMIT}; name fewer regions, deployers or exempt roles, or use wildcards`,
      );
    }
    const last = policies[policies.length - 1];
    if (last && sizeOf(documentOf([...last, statement])) <= SCP_LIMIT) last.push(statement);
    else policies.push([statement]);
  }
  return policies.map(documentOf);
}

export function sizeOf(document: PolicyDocument): number {
  return JSON.stringify(document).length;
}
