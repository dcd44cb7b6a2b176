import { Token } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { addProblem } from '../problems';

/**
 * The accounts of a property, each of which a policy names: what is none is reported, and a list that is one token, of
 * which no policy can be made, is reported and left out.
 */
export function namedAccounts(
  scope: IConstruct,
  what: string,
  accounts: readonly string[] = [],
): readonly string[] {
  if (Token.isUnresolved(accounts)) {
    addProblem(
      scope,
      `${what} is a list that is known only at deployment: name each account, as digits or a parameter of its own`,
    );
    return [];
  }
  checkAccounts(scope, what, accounts);
  return accounts;
}

/** The same where a list may be settled at deployment as a whole. */
export function checkAccounts(scope: IConstruct, what: string, accounts: readonly string[] = []): void {
  if (Token.isUnresolved(accounts)) return;
  for (const account of accounts) {
    if (Token.isUnresolved(account) || /^\d{12}$/.test(account)) continue;
    addProblem(scope, `${what} has '${account}': write an account as 12 digits`);
  }
}
