import { join } from 'node:path';
import {
  type IPolicyValidationContext,
  type IPolicyValidationPlugin,
  type PolicyValidationPluginReport,
  type PolicyViolation,
  type Stage,
  Validations,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { DeclarationError } from '../errors';
import type { AuditResult, Edge, Finding, Severity } from './model';
import type { AuditPolicy } from './policy';

export const PLUGIN_NAME = 'residency';

/** The audit as a door of the CDK: reads the assembly that was just written, as the command line would. */
export class ResidencyPlugin implements IPolicyValidationPlugin {
  public readonly name = PLUGIN_NAME;

  public constructor(
    private readonly stage: Stage,
    private readonly policy: AuditPolicy,
    private readonly strict: boolean,
  ) {}

  public validate(_context: IPolicyValidationContext): PolicyValidationPluginReport {
    const folder = this.stage.outdir;
    // Loaded here, so that an app that nobody audits does not pay for the audit's tables at every synthesis.
    const { audit, hasFindings } = require('./audit') as typeof import('./audit');
    const { load } = require('./read/load') as typeof import('./read/load');
    const { inputs, notes } = load([folder], { region: null, account: null, parameters: {} });
    const result = audit(inputs, this.policy, { now: new Date(), notes });
    const success = !hasFindings(result, this.strict);
    const violations = this.violations(result, folder);
    if (!success) refuseAcknowledgements(this.stage, violations);
    return {
      success,
      violations,
      metadata: { catalogue: result.catalogue.version, edges: String(result.summary.edges) },
    };
  }

  private violations(result: AuditResult, folder: string): PolicyViolation[] {
    const edges = result.edges
      .filter(({ verdict }) => verdict !== 'allowed' && verdict !== 'excepted')
      .map((edge) => this.violationOf(edge, folder));
    // What nobody classified is no news at every synthesis; the audit and its report list it.
    const findings = result.findings.filter(({ severity }) => severity !== 'note');
    return [...edges, ...findings.map((finding) => findingOf(finding, folder))];
  }

  private violationOf(edge: Edge, folder: string): PolicyViolation {
    const severity: Severity = edge.verdict === 'undetermined' && !this.strict ? 'warning' : 'error';
    return {
      ruleName: edge.rule,
      description: edge.message,
      severity,
      ruleMetadata: { verdict: edge.verdict, what: edge.what },
      violatingResources: [
        {
          // The construct's own path where the assembly says one: a nested stack's template has none to be derived.
          ...(edge.constructPath === null
            ? { resourceLogicalId: edge.logicalId, templatePath: join(folder, edge.template) }
            : { constructPath: edge.constructPath }),
          locations: [`Properties.${edge.propertyPath}`],
        },
      ],
    };
  }
}

function findingOf(
  { rule, severity, message, template, logicalId }: Finding,
  folder: string,
): PolicyViolation {
  return {
    ruleName: rule,
    description: message,
    severity,
    violatingResources:
      template === null || logicalId === null
        ? []
        : [{ resourceLogicalId: logicalId, templatePath: join(folder, template), locations: [] }],
  };
}

/**
 * The CDK lets any line of the app acknowledge any rule away. Here that would be an exception without instrument,
 * approver or end.
 */
function refuseAcknowledgements(root: IConstruct, violations: readonly PolicyViolation[]): void {
  const failing = new Set(
    violations
      .filter(({ severity }) => severity === 'error')
      .map(({ ruleName }) => `${PLUGIN_NAME}::${ruleName}`),
  );
  for (const construct of root.node.findAll()) {
    for (const { type, data } of construct.node.metadata) {
      if (type !== Validations.ACKNOWLEDGED_RULES_METADATA_KEY) continue;
      const id = [...failing].find((rule) => JSON.stringify(data).includes(JSON.stringify(rule)));
      if (id === undefined) continue;
      const messages = violations.filter(({ ruleName }) => `${PLUGIN_NAME}::${ruleName}` === id);
      throw new DeclarationError(
        `${construct.node.path || 'the app'} acknowledges ${id}, and a residency error cannot be acknowledged; ` +
          `record a transfer exception instead. ${messages.map(({ description }) => description).join(' ')}`,
      );
    }
  }
}
