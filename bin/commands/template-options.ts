import { type Command, Option } from 'commander';

/** What is judged, and as of when. */
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
    .addOption(
      new Option('--param <name=value>', 'a template parameter; repeatable')
        .argParser(addParameter)
        .default({}, 'none'),
    );
}

function addParameter(given: string, before: Record<string, string>): Record<string, string> {
  const equals = given.indexOf('=');
  // What has no name is caught with the other options, so that the message can say what was given.
  const [name, value] = equals < 0 ? ['', given] : [given.slice(0, equals), given.slice(equals + 1)];
  return { ...before, [name]: value };
}
