import { InputError } from '../../errors.js';
import { type Connection, literal, one, q, rows } from './connect.js';
import { asBytes, asText, createHead, type Definer, type Naming, splice } from './head.js';
import type { Program } from './programs.js';

/** What becomes of the accounts in whose name an archive's programs run. */
export interface DefinerRule {
  /** True: this account stays. */
  keeps(definer: Definer): boolean;
  /** Accounts whose programs now run in the name of the user who restores. */
  readonly replaced: ReadonlySet<string>;
}

/**
 * Only a user with SUPER, SET USER or SET_ANY_DEFINER may make programs in another's name: a managed service gives that
 * to nobody. Then, or when it is asked for, programs become those of the user who restores. Accounts that the server
 * does not have are refused, because what runs in their name fails when it is called.
 */
export async function definerRule(
  client: Connection,
  side: string,
  definers: readonly string[],
  ownerless: boolean,
): Promise<DefinerRule> {
  const { me } = await one<{ me: string }>(client, 'select current_user() as me');
  const others = definers.filter((definer) => definer !== me);
  const free = !ownerless && (others.length === 0 || (await mayName(client, side)));
  if (free) {
    const missing = await missingAccounts(client, others);
    if (missing.length > 0)
      throw new InputError(
        `the archive has views, triggers, routines or events of accounts that this server does not have: ${missing.map((name) => JSON.stringify(name)).join(', ')}; ` +
          'create them, or restore with --no-owner: then all is in the name of the user who restores',
      );
  }
  return rule(
    (account, { host }) => account === me || (free && (definers.includes(account) || host === undefined)),
  );
}

function rule(keeps: (account: string, definer: Definer) => boolean): DefinerRule {
  const replaced = new Set<string>();
  return {
    keeps(definer) {
      const account = `${definer.user}@${definer.host ?? ''}`;
      if (keeps(account, definer)) return true;
      replaced.add(account);
      return false;
    },
    replaced,
  };
}

/** Programs as this user may make them again, and whose are its own then. */
export async function remade(
  client: Connection,
  copy: string,
  programs: readonly Program[],
): Promise<{ readonly programs: readonly Program[]; readonly replaced: ReadonlySet<string> }> {
  const { me } = await one<{ me: string }>(client, 'select current_user() as me');
  const own = rule((account) => account === me);
  const mine = programs.map((program) => ({ ...program, sql: withDefiner(program.sql, own, asText) }));
  if (own.replaced.size === 0 || (await mayName(client, copy))) return { programs, replaced: new Set() };
  return { programs: mine, replaced: own.replaced };
}

/** A program of the user who makes it. */
export function inOwnName(program: Program): Program {
  return {
    ...program,
    sql: withDefiner(
      program.sql,
      rule(() => false),
      asText,
    ),
  };
}

async function mayName(client: Connection, side: string): Promise<boolean> {
  const probe = q(side, '__sovereign_probe');
  try {
    await client.query(
      `create definer = ${q('sovereign-backup')}@${literal('invalid.')} view ${probe} as select 1 as one`,
    );
    await client.query(`drop view ${probe}`);
    return true;
  } catch {
    return false;
  }
}

/** Those who read mysql.user know; for everybody else, all accounts are there. */
async function missingAccounts(client: Connection, accounts: readonly string[]): Promise<string[]> {
  const found = await rows<{ account: string }>(
    client,
    `select concat(user, '@', host) as account from mysql.user`,
  ).catch(() => undefined);
  return found ? accounts.filter((account) => !found.some((row) => row.account === account)) : [];
}

/** A CREATE statement, as text or as it stands in a dump, in the name of whom the rule says. */
export function withDefiner(sql: string, { keeps }: DefinerRule, named: Naming = asBytes): string {
  const head = createHead(sql, named);
  return head?.definer && !keeps(head.definer) ? splice(sql, head.definer, 'CURRENT_USER') : sql;
}
