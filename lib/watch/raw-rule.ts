import { type CfnRule, type EventPattern, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import type { Construct } from 'constructs';

/** A rule whose pattern is JSON: CDK's own type knows neither `$or` nor every filter. */
export function rawRule(
  scope: Construct,
  id: string,
  options: {
    readonly description: string;
    readonly pattern: Readonly<Record<string, unknown>>;
    readonly targets?: IRuleTarget[];
  },
): Rule {
  const { description, pattern, targets } = options;
  const rule = new Rule(scope, id, {
    description,
    targets,
    eventPattern: { source: pattern.source as string[] } satisfies EventPattern,
  });
  (rule.node.defaultChild as CfnRule).eventPattern = pattern;
  return rule;
}
