import {
  EventField,
  type IRule,
  type IRuleTarget,
  type RuleTargetConfig,
  RuleTargetInput,
} from 'aws-cdk-lib/aws-events';
import { TextOfEvent } from './topic-target';
import type { WatchedEvent } from './watched-event';

type Told = Pick<WatchedEvent, 'severity' | 'sentence'>;

const textOf = (regime: string, event: Told) =>
  `${event.severity}: backups of ${regime} in {region}, account {account}. ${event.sentence}`;

/** A sentence about an event, with what of it matters: `{detail.state}` becomes the event's own. */
export function sentenceOf(regime: string, event: Told): RuleTargetInput {
  return new TextOfEvent(textOf(regime, event));
}

/** As Amazon Q Developer (AWS Chatbot) shows it in Slack and Teams: it drops what it does not know. */
export function chatMessage(regime: string, event: WatchedEvent): RuleTargetInput {
  return RuleTargetInput.fromObject({
    version: '1.0',
    source: 'custom',
    content: {
      textType: 'client-markdown',
      title: `${event.severity}: ${event.description}`,
      description: textOf(regime, event).replace(/\{([\w.-]+)\}/g, (_, path) =>
        EventField.fromPath(`$.${path}`),
      ),
    },
  });
}

/** A target as it is, but for what it is told. */
export class Telling implements IRuleTarget {
  constructor(
    private readonly target: IRuleTarget,
    private readonly input: RuleTargetInput,
  ) {}

  public bind(rule: IRule, id?: string): RuleTargetConfig {
    const bound = this.target.bind(rule, id);
    // Whoever has written an input of his own means it.
    return { ...bound, input: bound.input ?? this.input };
  }
}
