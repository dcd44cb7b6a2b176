import { FINDING_RULES } from '../judge/findings';
import { RULES } from '../judge/judge';
import type { AuditResult, Edge, Severity, Verdict } from '../model';

export interface SarifContext {
  readonly toolVersion: string;
  /** Line of a resource in its template, where it can be found. */
  readonly lineOf: (template: string, logicalId: string) => number | null;
}

type Level = 'error' | 'warning' | 'note' | 'none';

const LEVELS: Readonly<Record<Verdict, Level>> = {
  impossible: 'error',
  violation: 'error',
  undetermined: 'warning',
  excepted: 'note',
  allowed: 'none',
};

const FINDING_LEVELS: Readonly<Record<Severity, Level>> = {
  error: 'error',
  warning: 'warning',
  note: 'note',
};

/** The result as SARIF 2.1.0, which code hosts show beside the lines of a change. */
export function sarifOf(result: AuditResult, context: SarifContext): string {
  const ids = [...Object.keys(RULES), ...Object.keys(FINDING_RULES)];
  const texts: Readonly<Record<string, string>> = { ...RULES, ...FINDING_RULES };
  const edges = result.edges.map((edge) => ({
    ruleId: edge.rule,
    ruleIndex: ids.indexOf(edge.rule),
    level: LEVELS[edge.verdict],
    // Only a failure may have a level; an undetermined place is one until somebody says where it is.
    kind: edge.verdict === 'allowed' ? 'pass' : 'fail',
    message: { text: edge.message },
    locations: location(edge.template, edge.logicalId, edge.constructPath ?? edge.logicalId, context),
    partialFingerprints: { 'residencyEdge/v1': fingerprint(edge) },
    properties: {
      verdict: edge.verdict,
      what: edge.what,
      from: edge.from,
      to: edge.to,
      propertyPath: edge.propertyPath,
    },
  }));
  const findings = result.findings.map((finding) => ({
    ruleId: finding.rule,
    ruleIndex: ids.indexOf(finding.rule),
    level: FINDING_LEVELS[finding.severity],
    kind: 'fail',
    message: { text: finding.message },
    locations:
      finding.template === null
        ? []
        : location(finding.template, finding.logicalId, finding.logicalId ?? finding.template, context),
  }));
  const sarif = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'sovereign-backup',
            version: context.toolVersion,
            informationUri: 'https://github.com/cdk-sovereign-backup/cdk-sovereign-backup',
            rules: ids.map((id) => ({ id, shortDescription: { text: texts[id] } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: [...edges, ...findings],
        properties: { catalogue: result.catalogue, summary: result.summary },
      },
    ],
  };
  return `${JSON.stringify(sarif, undefined, 2)}\n`;
}

function location(template: string, logicalId: string | null, name: string, { lineOf }: SarifContext) {
  const line = logicalId === null ? null : lineOf(template, logicalId);
  return [
    {
      physicalLocation: {
        artifactLocation: { uri: uriOf(template) },
        region: { startLine: line ?? 1 },
      },
      logicalLocations: [{ fullyQualifiedName: name, kind: 'resource' }],
    },
  ];
}

/** A path as the relative reference that SARIF wants. */
const uriOf = (path: string) => path.replace(/\\/g, '/').split('/').map(encodeURIComponent).join('/');

/** The same edge in the next run, even if it moved to another line. */
const fingerprint = ({ template, logicalId, propertyPath, what, to }: Edge) =>
  [template, logicalId, propertyPath, what, to.region ?? to.country ?? '?', to.account ?? '?'].join('|');
