import { withoutValues } from './tool.js';

/**
 * What a role that is no superuser may not make, as most roles of a managed service: an archive that holds such a thing
 * is restored without it, and says so. What the tenant's own tables need of it fails by itself, and the restore with it.
 */
const KINDS = [
  'ACCESS METHOD',
  'CAST',
  'DEFAULT PRIVILEGES',
  'EVENT TRIGGER',
  'EXTENSION',
  'FOREIGN DATA WRAPPER',
  'FOREIGN TABLE',
  'FUNCTION',
  'LANGUAGE',
  'OPERATOR CLASS',
  'OPERATOR FAMILY',
  'PROCEDURAL LANGUAGE',
  'PUBLICATION',
  'SERVER',
  'SUBSCRIPTION',
  'TRANSFORM',
  'USER MAPPING',
];

const COMMAND = new RegExp(
  `^(CREATE|ALTER|COMMENT ON|SECURITY LABEL|GRANT|REVOKE)(?: OR REPLACE)?(?: TRUSTED)?(?: (${KINDS.join('|')}))?\\b(.*)$`,
);
const DENIED = /permission denied|must be (a )?superuser|must be owner of|only superusers?/i;
const NOT_OURS = /must be (?:member of role|able to SET ROLE) "(.*)"/;
/** A newer client writes a subscription in words that an older server does not know; it would be switched off anyway. */
const TOO_NEW = /unrecognized subscription parameter/;
/**
 * What keeps a materialized view from being computed is its own matter (a right that its owner has lost, a path that is not set, a
 * division by zero), except where the server itself is to blame.
 */
const SERVER_FAILED =
  /No space left|could not (?:open|read|write|extend|access|fsync|resize)|out of (?:shared )?memory|temporary file size|canceling statement|terminating connection|shutting down|deadlock|lock timeout|invalid page|input\/output/i;
/** The same by the first two characters of SQLSTATE, where that can be asked for, and all of one. */
export const SERVER_FAILED_CLASSES = ['08', '40', '53', '57', '58', 'XX'];
export const LOCK_NOT_AVAILABLE = '55P03';

export const notComputed = (view: string, reason: string) =>
  `materialized view ${view} could not be computed and is empty, until REFRESH MATERIALIZED VIEW can be run: ${withoutValues(reason)}`;
const ABSENT = /"((?:[^"]|"")+)" does not exist/;
const IDENTIFIER = /(?:"(?:[^"]|"")*"|[^\s"(;.]+)(?:\.(?:"(?:[^"]|"")*"|[^\s"(;.]+))*/;

export type Verdict = 'tolerated' | 'fatal' | undefined;

/** Follows what pg_restore says, and tells what loses none of the tenant's rows from errors. */
export class Refusals {
  private pending: string | undefined;
  private readonly lost = new Set<string>();
  private readonly told = new Set<string>();

  constructor(private readonly superusers: ReadonlySet<string>) {}

  /** What a line means for the restore: an error is judged when the command that it is about follows. */
  public hear(line: string): Verdict {
    const [, grants] = /WARNING:\s+((?:no|not all) privileges .*)$/.exec(line) ?? [];
    if (grants !== undefined) this.told.add(`a grant or its withdrawal was not restored: ${grants}`);
    const [, command] = /^Command was: (.*)$/.exec(line) ?? [];
    if (command !== undefined && this.pending !== undefined) {
      const error = this.pending;
      this.pending = undefined;
      return this.tolerates(error, command) ? 'tolerated' : 'fatal';
    }
    if (!line.startsWith('pg_restore: error:')) return undefined;
    // An error without a command is about the archive or the connection.
    const before = this.pending;
    this.pending = line;
    return before !== undefined || !line.includes('could not execute query') ? 'fatal' : undefined;
  }

  public get undecided(): boolean {
    return this.pending !== undefined;
  }

  public warnings(): string[] {
    return [...this.told];
  }

  private tolerates(error: string, command: string): boolean {
    const reason = error.replace(/^.*?ERROR:\s*/, '');
    const [, view] = /^REFRESH MATERIALIZED VIEW (.*);$/.exec(command) ?? [];
    if (view !== undefined && !SERVER_FAILED.test(reason)) {
      this.told.add(notComputed(view, reason));
      return true;
    }
    const [, verb, kind, rest = ''] = COMMAND.exec(command) ?? [];
    if (verb === undefined) return false;
    const [, owner] = NOT_OURS.exec(reason) ?? [];
    if (owner !== undefined && / OWNER TO /.test(command) && this.superusers.has(owner)) {
      const what = command.replace(/^ALTER /, '').replace(/ OWNER TO .*$/, '');
      this.told.add(`${what} belongs to the role that restores and no longer to ${owner}, a superuser`);
      return true;
    }
    const absent = ABSENT.exec(reason)?.[1];
    const follows = absent !== undefined && this.lost.has(absent);
    const comment = verb === 'COMMENT ON' || verb === 'SECURITY LABEL';
    const tooNew = kind === 'SUBSCRIPTION' && TOO_NEW.test(reason);
    const denied =
      DENIED.test(reason) &&
      (comment || (kind !== undefined && verb !== 'GRANT' && verb !== 'REVOKE')) &&
      // Code of the tenant's own in a trusted language is no privilege: there something else is wrong.
      (kind !== 'FUNCTION' || /language (c|internal)\b/.test(reason));
    if (!follows && !tooNew && !denied) return false;
    if (comment) {
      if (!follows) this.told.add(`a comment or label was not restored: ${reason}`);
      return true;
    }
    const name = nameOf(kind ?? '', rest);
    // Messages name a thing with its schema or without, and without quotes.
    const bare = name.replaceAll('"', '');
    this.lost.add(bare).add(bare.slice(bare.lastIndexOf('.') + 1));
    // Owners, grants and parts of a thing that is not there are lost with it, and told with it.
    if (verb === 'CREATE' || !follows)
      this.told.add(`${(kind ?? verb).toLowerCase()} ${name} was not restored: ${reason}`);
    return true;
  }
}

/** Only the name: options hold passwords. */
function nameOf(kind: string, rest: string): string {
  if (kind === 'CAST') return /\(.*?\)/.exec(rest)?.[0] ?? '';
  if (kind === 'USER MAPPING') {
    const [, role, server] = / FOR (\S+) SERVER ([^\s;]+)/.exec(rest) ?? [];
    return `of ${role} on server ${server}`;
  }
  if (kind === 'DEFAULT PRIVILEGES') return (/ FOR ROLE \S+/.exec(rest)?.[0] ?? '').trim();
  return IDENTIFIER.exec(rest.replace(/^ IF NOT EXISTS/, '').trim())?.[0] ?? '';
}
