import type { RehearsalResult, RestoreResult } from '../../lambda/archive/requests.js';
import { rehearseRestore, restoreAs, restoreToFile } from '../../lambda/archive/restore-beside.js';
import { restoreTenant } from '../../lambda/archive/restore-tenant.js';
import { parseServer } from '../../lambda/engine/server.js';
import { count } from '../count.js';
import { UsageError } from '../errors.js';
import { widthOf } from '../screen.js';
import { describeChanges } from './changes.js';
import { checkConfirm } from './confirm.js';
import { interruptible } from './interrupt.js';
import { orElsewhere } from './no-archives.js';
import { openArchives } from './open.js';
import type { KeyOptions } from './options.js';
import { harmless } from './printable.js';
import { readScope, type ScopeOptions } from './scope.js';
import { size, Terminal } from './terminal.js';

export interface RestoreOptions extends KeyOptions, ScopeOptions {
  readonly server?: string;
  readonly database?: string;
  readonly at?: Date;
  readonly confirm?: string;
  readonly owner: boolean;
  readonly verifyOnly?: boolean;
  readonly showChanges?: boolean;
  readonly sample?: number;
  readonly to?: string;
  readonly toFile?: string;
  readonly jobs?: number;
  readonly checksums?: 'rows' | 'content';
  readonly statementTimeout?: number;
  readonly json?: boolean;
}

/** `restore` in each of its forms: into the live database's place, beside it, into a file, or as a rehearsal. */
export async function runRestore(tenant: string, options: RestoreOptions): Promise<void> {
  const form = formOf(options);
  if (form === 'live') checkConfirm(tenant, options.confirm, 'restore');
  else if (options.confirm !== undefined)
    throw new UsageError(`--confirm is for a restore into the live database's place, not for --${form}`);
  if (form !== 'live' && options.showChanges)
    throw new UsageError(`--show-changes is asked before a swap; without one, use \`compare\``);
  const server = serverOf(options, form);
  const scope = await readScope(options, tenant);
  const terminal = new Terminal();
  const warn = (warnings: readonly string[] = []) => {
    for (const warning of warnings) terminal.say(`warning: ${warning}`);
  };
  const run = async (opened: Awaited<ReturnType<typeof openArchives>>, signal: AbortSignal) => {
    const request = {
      tenant,
      ...opened,
      ...(options.at ? { at: options.at } : {}),
      progress: terminal.progress,
      signal,
    };
    if (form === 'to-file') return restoreToFile({ ...request, file: options.toFile! });
    const load = {
      ...request,
      server: server!,
      ...(options.database === undefined ? {} : { database: options.database }),
      ...(scope === undefined ? {} : { scope }),
      noOwner: !options.owner,
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(options.checksums === undefined ? {} : { checksums: options.checksums }),
      ...(options.statementTimeout === undefined ? {} : { statementTimeout: options.statementTimeout }),
    };
    if (form === 'verify-only') return rehearseRestore(load);
    if (form === 'to') return restoreAs({ ...load, keepAs: options.to! });
    return restoreTenant({
      ...load,
      showChanges: options.showChanges ?? false,
      ...(options.sample === undefined ? {} : { sample: options.sample }),
      confirm: async (preview) => {
        warn(preview.warnings);
        if (preview.changes)
          terminal.say(`\n${describeChanges(preview.changes, widthOf(process.stderr)).join('\n')}`);
        if (options.confirm !== undefined) return options.confirm;
        return terminal.ask(
          `\nThe archive of ${preview.at} (${count(preview.tables.length, 'table')}, ${size(preview.plainBytes)}) is ready beside ` +
            `database ${JSON.stringify(preview.database)}${preview.liveExists ? '' : ', which is not on the server'}.\n` +
            (preview.endsSessions ? 'The swap ends the sessions that are on the live one.\n' : '') +
            `Type the tenant's name to swap it in, anything else to leave all as it is: `,
          signal,
        );
      },
    });
  };
  const result = await interruptible(async (signal) => {
    const opened = await openArchives(tenant, options, { mustExist: true });
    return orElsewhere(opened, tenant, run(opened, signal));
  });
  terminal.endLine();
  if (form !== 'live' && 'warnings' in result) warn(result.warnings);
  if ('ok' in result && !result.ok) process.exitCode = 1;
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else tell(tenant, form, result, terminal, options);
}

type Form = 'live' | 'verify-only' | 'to' | 'to-file';

function formOf({ verifyOnly, to, toFile }: RestoreOptions): Form {
  const forms: Form[] = [
    ...(verifyOnly ? ['verify-only' as const] : []),
    ...(to === undefined ? [] : ['to' as const]),
    ...(toFile === undefined ? [] : ['to-file' as const]),
  ];
  if (forms.length > 1)
    throw new UsageError(
      `${forms.map((form) => `--${form}`).join(' and ')} say different things; give one of them`,
    );
  return forms[0] ?? 'live';
}

function serverOf(options: RestoreOptions, form: Form) {
  if (form === 'to-file') {
    if (
      options.server !== undefined ||
      options.database !== undefined ||
      options.statementTimeout !== undefined
    )
      throw new UsageError(
        '--to-file writes a file and asks no server; leave out --server, --database and --statement-timeout',
      );
    return undefined;
  }
  if (options.server === undefined)
    throw new UsageError(
      '--server is missing: engine, user, host and port, as in postgres://app@127.0.0.1:5432',
    );
  return parseServer(options.server);
}

type Result =
  | Awaited<ReturnType<typeof restoreTenant>>
  | Awaited<ReturnType<typeof restoreAs>>
  | Awaited<ReturnType<typeof restoreToFile>>
  | RehearsalResult;

/** With what tells which copy is meant; whoever needs it has no time to look it up. */
function undoCommand(
  tenant: string,
  { database, tenancy }: Pick<RestoreResult, 'database' | 'tenancy'>,
  { schema, tenantValue }: RestoreOptions,
): string {
  const quoted = (text: string) => (/^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
  return [
    'sovereign-backup undo',
    ...(database === tenant ? [] : [`--database ${quoted(database)}`]),
    ...(tenancy === undefined ? [] : [`--tenancy ${tenancy}`]),
    ...(schema === undefined ? [] : [`--schema ${quoted(schema)}`]),
    ...(tenantValue === undefined ? [] : [`--tenant-value ${quoted(tenantValue)}`]),
    '--server …',
    ...(tenant.startsWith('-') ? ['--'] : []),
    quoted(tenant),
  ].join(' ');
}

function madeName({ database, schema }: Extract<Result, { schema?: string }>): string {
  const name = `database ${JSON.stringify(database)}`;
  return schema === undefined ? name : `schema ${JSON.stringify(schema)} of ${name}`;
}

function tell(tenant: string, form: Form, result: Result, terminal: Terminal, options: RestoreOptions): void {
  const line = (text: string) => process.stdout.write(`${harmless(text)}\n`);
  const seconds = `${result.seconds.toFixed(1)} s`;
  if ('ok' in result) {
    if (result.ok)
      line(`${result.archive} restores: ${count(result.tables!.length, 'table')} as counted, ${seconds}`);
    else for (const problem of result.problems) line(problem);
  } else if ('file' in result)
    line(
      `${result.file} is the dump of ${result.at} (${result.format}, ${size(result.plainBytes)}), ${seconds}`,
    );
  else if (form === 'to')
    line(
      `${madeName(result)} is ${tenant} as of ${result.at}: ${count(result.tables.length, 'table')}, ${seconds}`,
    );
  else {
    line(`${tenant} is as of ${result.at} again: ${count(result.tables.length, 'table')}, ${seconds}`);
    if ('undo' in result && result.undo)
      terminal.say(
        `what was live is kept as ${JSON.stringify(result.undo)}: \`${undoCommand(tenant, result, options)}\` puts it back; nothing drops it but you`,
      );
  }
}
