import { Stack } from 'aws-cdk-lib';
import { CfnFramework, CfnReportPlan } from 'aws-cdk-lib/aws-backup';
import type { IConstruct } from 'constructs';
import type { AuditQuotas } from './backup-audit-props';

/**
 * What AWS Backup would refuse of all the audits of an app together. Quotas are those of Service Quotas in 2026, and can be raised.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/bk.html
 */
export function quotaProblems(framework: CfnFramework, quotas: AuditQuotas): string[] {
  const stack = Stack.of(framework);
  const all = framework.node.root.node.findAll();
  const isHere = (one: IConstruct) =>
    Stack.of(one).account === stack.account && Stack.of(one).region === stack.region;
  const frameworks = all.filter((one) => CfnFramework.isCfnFramework(one)).filter(isHere);
  const reportPlans = all.filter((one) => CfnReportPlan.isCfnReportPlan(one)).filter(isHere);
  const controls = frameworks.flatMap((one) => stack.resolve(one.frameworkControls) as unknown[]).length;
  const problems: string[] = [];
  const check = (count: number, what: string, quota: number, name: string, wayOut: string) => {
    if (count <= quota) return;
    problems.push(
      `the app has ${count} ${what} in account and region, AWS Backup allows ${quota}: ${wayOut}, or have the quota raised and write ` +
        `quotas: { ${name}: ${count} }`,
    );
  };
  const together = 'audit several plans together';
  check(frameworks.length, 'frameworks', quotas.frameworks ?? 10, 'frameworks', together);
  check(controls, 'controls', quotas.controls ?? 50, 'controls', together);
  check(reportPlans.length, 'report plans', quotas.reportPlans ?? 20, 'reportPlans', 'name fewer reports');
  for (const other of frameworks) {
    if (other === framework) continue;
    if (other.frameworkName !== undefined && other.frameworkName === framework.frameworkName) {
      problems.push(
        `its frameworkName '${framework.frameworkName}' is also that of ${other.node.path}: give one of them another`,
      );
    } else if (sameControls(stack, framework, other)) {
      problems.push(
        `asks the same as ${other.node.path}, and AWS Backup refuses a second framework with the same controls and ` +
          'parameters: audit the plans of both together',
      );
    }
  }
  return problems;
}

function sameControls(stack: Stack, one: CfnFramework, other: CfnFramework): boolean {
  const text = (framework: CfnFramework) => JSON.stringify(stack.resolve(framework.frameworkControls));
  return text(one) === text(other);
}
