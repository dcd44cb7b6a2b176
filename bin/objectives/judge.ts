import type { Objective } from '../../lib/objective/assessment.js';
import { objectiveOfPolicy } from '../../lib/objective/policy-section.js';
import type { ObjectivesResult } from '../../lib/objective/templates/model.js';
import { objectivesOf } from '../../lib/objective/templates/objectives.js';
import type { Loaded } from '../audit/inputs.js';

/** What was loaded, judged by the options, else by the policy, else by what the templates say themselves. */
export function objectivesIn({ inputs, policy }: Loaded, asked?: Objective): ObjectivesResult {
  const { objectives } = policy.policy;
  const byPolicy = objectiveOfPolicy(objectives);
  const stated = asked
    ? ({ objective: asked, by: 'options' } as const)
    : byPolicy
      ? ({ objective: byPolicy, by: 'policy' } as const)
      : null;
  return objectivesOf(inputs, policy.policy, stated, objectives?.exempt);
}
