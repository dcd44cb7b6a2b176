import { type Command, Option } from 'commander';
import type { Register } from './index.js';

export const FORMATS = ['table', 'json', 'sarif', 'markdown', 'html'] as const;
export type Format = (typeof FORMATS)[number];

export interface AuditCommandOptions {
  readonly policy?: string;
  readonly region?: string;
  readonly account?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly strict: boolean;
  readonly format: Format;
  readonly out?: string;
  readonly now?: string;
}

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
    .option('--strict', 'count what cannot be determined as a finding', false)
    .addOption(new Option('--format <format>', 'how to print the result').choices(FORMATS).default('table'))
    .option('--json', 'short for --format json')
    .option('--out <file>', 'write the result to a file instead of standard output')
    .action(async (paths: string[], options: AuditCommandOptions & { json?: true }) => {
      const { runAudit } = await import('../audit/run.js');
      await runAudit(paths, options.json ? { ...options, format: 'json' } : options, program.version() ?? '');
    });
};

/** Options that `diff` reads too. */
export function inputOptions(command: Command): Command {
  return templateOptions(command).option(
    '--now <time>',
    'judge exceptions as of this time (ISO 8601) instead of now; or set SOURCE_DATE_EPOCH',
  );
}

/** Options that say which templates are meant, and where they are deployed. */
export function templateOptions(command: Command): Command {
  return placeOptions(
    command.option(
      '--policy <file>',
      'the policy: regimes, assignments, exceptions, places, objectives (YAML or JSON)',
    ),
  );
}

/** Where templates are deployed that do not say so themselves. */
export function placeOptions(command: Command): Command {
  return command
    .option('--region <region>', 'region of templates that have none of their own')
    .option('--account <account>', 'account of templates that have none of their own')
    .option('--param <name=value>', 'a template parameter; repeatable', addParameter, {});
}

function addParameter(given: string, before: Record<string, string>): Record<string, string> {
  const equals = given.indexOf('=');
  // What has no name is caught with the other options, so that the message can say what was given.
  const [name, value] = equals < 0 ? ['', given] : [given.slice(0, equals), given.slice(equals + 1)];
  return { ...before, [name]: value };
}
