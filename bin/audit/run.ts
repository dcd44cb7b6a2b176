import { hasFindings } from '../../lib/residency/audit.js';
import { isoDay } from '../../lib/residency/judge/dates.js';
import { jsonOf } from '../../lib/residency/output/json.js';
import { markdownOf } from '../../lib/residency/output/markdown.js';
import { sarifOf } from '../../lib/residency/output/sarif.js';
import { summaryLine, tableOf } from '../../lib/residency/output/table.js';
import { screenWidth } from '../screen.js';
import { type Audited, auditPaths } from './inputs.js';
import { lineFinder } from './lines.js';
import { write } from './write.js';

export type Format = 'table' | 'json' | 'sarif' | 'markdown' | 'html';

export interface AuditOptions {
  readonly policy?: string;
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly strict?: true;
  readonly format: Format;
  readonly out?: string;
  readonly now?: string;
}

/** Audits, prints, and sets the exit code. */
export async function runAudit(
  paths: readonly string[],
  options: AuditOptions,
  toolVersion: string,
): Promise<void> {
  const audited = auditPaths(paths, options);
  write(await printed(options, audited, paths, toolVersion), options.out);
  if (options.out !== undefined) process.stderr.write(`${summaryLine(audited.result)}: ${options.out}\n`);
  process.exitCode = hasFindings(audited.result, options.strict ?? false) ? 1 : 0;
}

async function printed(
  { format, out }: AuditOptions,
  audited: Audited,
  paths: readonly string[],
  toolVersion: string,
): Promise<string> {
  const { result } = audited;
  switch (format) {
    case 'json':
      return jsonOf(result);
    case 'markdown':
      return markdownOf(result);
    case 'sarif':
      return sarifOf(result, { toolVersion, lineOf: lineFinder(paths) });
    case 'html': {
      const { htmlReport } = await import('../report/index.js');
      const { objectivesIn } = await import('../objectives/judge.js');
      return htmlReport(result, {
        toolVersion,
        objectives: objectivesIn(audited),
        policy: audited.policy.policy,
        policyFile: audited.policy.file,
        asOf: isoDay(audited.now),
        generatedOn: process.env.SOURCE_DATE_EPOCH === undefined ? null : isoDay(audited.now),
      });
    }
    default:
      return tableOf(result, screenWidth(out));
  }
}
