import { Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type IRuleTarget, type RuleTargetConfig, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopic, type ITopic } from 'aws-cdk-lib/aws-sns';
import type { IConstruct } from 'constructs';

/**
 * The ARN of a topic as its own stack writes it. What `topicArn` gives asks again wherever it is resolved whether some
 * other region reads it, and hundreds of rules and alarms name the topic.
 */
function arnFrom(scope: IConstruct, topic: ITopic): string {
  const resource = topic.node.defaultChild;
  const near = CfnTopic.isCfnTopic(resource) && Stack.of(resource) === Stack.of(scope);
  return near ? resource.ref : topic.topicArn;
}

/** Lets a service publish on behalf of this account. A topic whose policy is made by others is theirs. */
export function letPublish(topic: ITopic, service: string): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(`${service}.amazonaws.com`)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(topic).account } },
    }),
  );
}

/** A topic that is told by many rules: CDK's own target would write the same leave into its policy for each of them. */
export class TopicTarget implements IRuleTarget {
  /** Lets EventBridge publish, once; and those who might until then, by the policy that SNS gives to a topic without. */
  public static letIn(topic: ITopic): void {
    topic.grantPublish(new ServicePrincipal('events.amazonaws.com'));
    for (const service of ['cloudwatch', 'backup']) letPublish(topic, service);
  }

  constructor(
    private readonly topic: ITopic,
    private readonly message?: RuleTargetInput,
  ) {}

  public bind(rule: IConstruct): RuleTargetConfig {
    return { arn: arnFrom(rule, this.topic), input: this.message, targetResource: this.topic };
  }
}

/** Has a topic told when an alarm goes off. */
export class TopicAction implements IAlarmAction {
  constructor(private readonly topic: ITopic) {}

  public bind(scope: IConstruct): ReturnType<IAlarmAction['bind']> {
    return { alarmActionArn: arnFrom(scope, this.topic) };
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
