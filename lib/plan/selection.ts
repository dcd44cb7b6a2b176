import { Stack, Token } from 'aws-cdk-lib';
import type { CfnBackupSelection } from 'aws-cdk-lib/aws-backup';
import type { Construct } from 'constructs';
import { isUnresolved } from '../regime/region-check';
import { arnOf, backupable, type FoundResource } from './construct-arns';
import type { SelectionOptions } from './regime-backup-plan-props';

const MOST_PATTERNS = 30;
const MOST_ARNS = 500;
const MOST_CONDITIONS = 30;

/** A selection as CloudFormation wants it, and what AWS Backup would refuse of it. */
export interface RenderedSelection {
  readonly selection: Omit<CfnBackupSelection.BackupSelectionResourceTypeProperty, 'iamRoleArn'>;
  readonly problems: string[];
  /** Resources that were named as constructs. */
  readonly found: FoundResource[];
}

export function renderSelection(plan: Construct, id: string, options: SelectionOptions): RenderedSelection {
  const { partition, region, account } = Stack.of(plan);
  const problems: string[] = [];
  const found = (options.constructs ?? []).flatMap((construct) => {
    const under = backupable(construct);
    if (under.length === 0) {
      problems.push(
        `selection '${id}': nothing under ${construct.node.path} is of a type that AWS Backup protects`,
      );
    }
    return under;
  });
  for (const { resource } of found) {
    const other = resource.stack.region;
    if (other !== region && !isUnresolved(other) && !isUnresolved(region)) {
      problems.push(
        `selection '${id}': ${resource.node.path} is in ${other} and the plan in ${region}: a plan protects resources of ` +
          'its own region, make one there',
      );
    }
  }
  const excluded = (options.excludeConstructs ?? []).flatMap(backupable);
  const patterns = (options.types ?? []).map((type) => type.arnIn(partition));
  /** Each once, since several types may share the form of their ARNs; with a list that is one token, nothing else may be. */
  const joined = (what: string, list: readonly string[] = [], others: readonly string[]) => {
    if (others.length === 0 || !Token.isUnresolved(list)) return [...new Set([...others, ...list])];
    problems.push(
      `selection '${id}': ${what} is a list that is known only at deployment, and cannot be joined with what else is named: ` +
        'put it into a selection of its own',
    );
    return [...new Set(others)];
  };
  const resources = joined('arns', options.arns, [...patterns, ...found.map(arnOf)]);
  const except = joined('exclude', options.exclude, excluded.map(arnOf));
  const tags = Object.entries(options.tags ?? {});
  const conditions = options.conditions ?? [];
  const anyTags = Object.entries(options.anyTags ?? {});
  if (resources.length + tags.length + conditions.length + anyTags.length === 0) {
    problems.push(`selection '${id}' names no tags, types, constructs or arns: name what to protect`);
  }
  const tests = tags.length + conditions.length;
  if (tests > MOST_CONDITIONS || anyTags.length > MOST_CONDITIONS) {
    problems.push(
      `selection '${id}' has ${Math.max(tests, anyTags.length)} tags and conditions, AWS Backup takes ${MOST_CONDITIONS}: ` +
        'mark what is to be protected with one tag of its own',
    );
  }
  if (anyTags.length > 0 && resources.length + tags.length + conditions.length > 0) {
    problems.push(
      `selection '${id}' has anyTags and something else: AWS Backup would take what has any of the tags and the rest as ` +
        'well; put anyTags into a selection of its own',
    );
  }
  const written = [options.arns, options.exclude].flatMap((list = []) =>
    Token.isUnresolved(list) ? [] : list,
  );
  for (const arn of written) {
    const problem = Token.isUnresolved(arn) ? undefined : foreignArn(arn, { region, account });
    if (problem) problems.push(`selection '${id}' has '${arn}', ${problem}`);
  }
  for (const arn of [...resources, ...except]) {
    if (!isUnresolved(arn) && /\*.+/.test(arn.split(':').slice(5).join(':'))) {
      problems.push(
        `selection '${id}' has '${arn}': AWS Backup takes an asterisk in a resource's name only at its end`,
      );
    }
  }
  for (const list of [resources, except]) {
    const wild = list.filter((arn) => arn.includes('*')).length;
    if (wild > MOST_PATTERNS || list.length > MOST_ARNS) {
      problems.push(
        `selection '${id}' lists ${list.length} resources, ${wild} of them patterns: AWS Backup allows ` +
          `${MOST_ARNS}, and ${MOST_PATTERNS} with a pattern; select by tag instead`,
      );
    }
  }
  const byTest = new Map<string, { ConditionKey: string; ConditionValue: string }[]>();
  const all = [...tags.map(([key, value]) => ({ test: 'StringEquals', key, value })), ...conditions];
  for (const { test, key, value } of all) {
    const same = byTest.get(test) ?? [];
    same.push({ ConditionKey: `aws:ResourceTag/${key}`, ConditionValue: value });
    byTest.set(test, same);
  }
  return {
    problems,
    found,
    selection: {
      selectionName: selectionName(id),
      resources: anyTags.length > 0 ? undefined : resources.length > 0 ? resources : ['*'],
      notResources: except.length > 0 ? except : undefined,
      listOfTags:
        anyTags.length > 0
          ? anyTags.map(([conditionKey, conditionValue]) => ({
              conditionType: 'STRINGEQUALS',
              conditionKey,
              conditionValue,
            }))
          : undefined,
      // Written as CloudFormation has it: the property is free-form JSON to CDK.
      conditions: byTest.size > 0 ? Object.fromEntries(byTest) : undefined,
    },
  };
}

/** Why a plan cannot protect, or leave out, what an ARN names; undefined when it may. */
function foreignArn(
  arn: string,
  here: { readonly region: string; readonly account: string },
): string | undefined {
  const [prefix, , service, region, account, ...resource] = arn.split(':');
  if (prefix !== 'arn' || !service || resource.join(':') === '') {
    return arn === '*' ? undefined : 'which is no ARN: write arn:partition:service:region:account:resource';
  }
  for (const [what, of, ours] of [
    ['region', region, here.region],
    ['account', account, here.account],
  ] as const) {
    if (!of || of === '*' || of === ours || isUnresolved(ours)) continue;
    return `which is in ${what} ${of} and the plan in ${ours}: a plan protects resources of its own account and region`;
  }
  return undefined;
}

const selectionName = (id: string) => id.replace(/[^A-Za-z0-9-_.]+/g, '-').slice(0, 50);
