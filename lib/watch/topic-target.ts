import { type IRuleTarget, type RuleTargetConfig, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/** A topic that is told by many rules: CDK's own target would write the same leave into its policy for each of them. */
export class TopicTarget implements IRuleTarget {
  /** Lets EventBridge publish, once. */
  public static letIn(topic: ITopic): void {
    topic.grantPublish(new ServicePrincipal('events.amazonaws.com'));
  }

  constructor(
    private readonly topic: ITopic,
    private readonly message?: RuleTargetInput,
  ) {}

  public bind(): RuleTargetConfig {
    return { arn: this.topic.topicArn, input: this.message, targetResource: this.topic };
  }
}

/** A text with paths into the event in braces. CDK's own way, by tokens, comes to the same and takes much longer. */
export class TextOfEvent extends RuleTargetInput {
  constructor(private readonly text: string) {
    super();
  }

  public bind(): ReturnType<RuleTargetInput['bind']> {
    const inputPathsMap: { [name: string]: string } = {};
    const filled = this.text.replace(/\{([\w.-]+)\}/g, (_, path: string) => {
      const name = path.replace(/\W/g, '-');
      inputPathsMap[name] = `$.${path}`;
      return `<${name}>`;
    });
    return { inputTemplate: JSON.stringify(filled), inputPathsMap };
  }
}
