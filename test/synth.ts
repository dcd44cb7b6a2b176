import { App, type AppProps, Stack, type StackProps } from 'aws-cdk-lib';

/** The rules that CDK itself has for templates, as errors. */
export const strict = { '@aws-cdk/core:validateAgainstDefaultRules': true };

/** How stacks refer to each other; whatever we make must come out right with both. */
export const referenceStrengths = ['weak', 'strong'] as const;

export function appWith(context: Record<string, unknown> = {}, props: AppProps = {}): App {
  return new App({ analyticsReporting: false, context: { ...strict, ...context }, ...props });
}

export function stackIn(
  region: string | undefined,
  app = appWith(),
  id = 'Stack',
  props: StackProps = {},
): Stack {
  return new Stack(app, id, { env: region ? { account: '111111111111', region } : undefined, ...props });
}

/** What synthesis complains about, whole; '' when it does not. */
export function complaint(app: App): string {
  try {
    app.synth();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
