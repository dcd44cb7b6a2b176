import type { App } from 'aws-cdk-lib';
import { Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, HIPAASecurityChecks, NIST80053R5Checks, PCIDSS321Checks } from 'cdk-nag';

/** Makes synthesis fail on whatever AwsSolutions finds and nobody has acknowledged. */
export function withAwsSolutions(app: App): App {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

/** The same with all four packs. Tags are the user's: some rules want them. */
export function withEveryPack(app: App): App {
  Tags.of(app).add('owner', 'platform');
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(),
    new HIPAASecurityChecks(),
    new NIST80053R5Checks(),
    new PCIDSS321Checks(),
  );
  return app;
}
