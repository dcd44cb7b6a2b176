import { Option } from 'commander';
import type { AuditOptions, Format } from '../audit/run.js';
import type { Register } from './register.js';
import { inputOptions } from './template-options.js';

const FORMATS: readonly Format[] = ['table', 'json', 'sarif', 'markdown', 'html'];

/** `audit PATH...`: the code behind it is loaded only when it runs. */
export const registerAudit: Register = (program) => {
  inputOptions(
    program
      .command('audit')
      .description('show every way by which data leaves its region, and judge it by the privacy regimes')
      .argument(
        '<path...>',
        'a template (JSON or YAML), a folder of them, a cdk.out, or - for standard input',
      ),
  )
    .option('--strict', 'count what cannot be determined as a finding')
    .addOption(new Option('--format <format>', 'how to print the result').choices(FORMATS).default('table'))
    .option('--json', 'short for --format json')
    .option('--out <file>', 'write the result to a file instead of standard output')
    .addHelpText(
      'after',
      `
Reads templates alone: no AWS account, no CDK. Exit code 1 when something leaves its regime, or a finding is an error; with
--strict also when it cannot be told.

Examples:
  sovereign-backup audit cdk.out
  sovereign-backup audit cdk.out --format html --out audit.html
  aws cloudformation get-template --stack-name shop --query TemplateBody |
    sovereign-backup audit - --region eu-central-1`,
    )
    .action(async (paths: string[], options: AuditOptions & { json?: true }) => {
      const { runAudit } = await import('../audit/run.js');
      await runAudit(paths, options.json ? { ...options, format: 'json' } : options, program.version() ?? '');
    });
};
