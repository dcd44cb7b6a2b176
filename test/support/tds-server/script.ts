// Runs a batch as SQL Server does: statement by statement, with TRY and CATCH, for as long as the client is there.
import { ServerError } from './tokens';

/** Cuts a batch at semicolons and after the words that begin and end blocks, but never within names and texts. */
export function statementsOf(sql: string): string[] {
  const found: string[] = [];
  let current = '';
  const flush = () => {
    if (current.trim()) found.push(current.trim());
    current = '';
  };
  for (let i = 0; i < sql.length; ) {
    const quoted = /^(\[(?:[^\]]|\]\])*\]|'(?:[^']|'')*')/.exec(sql.slice(i))?.[0];
    const block = /^(BEGIN TRY|END TRY|BEGIN CATCH|END CATCH)\b/.exec(sql.slice(i))?.[0];
    if (quoted) {
      current += quoted;
      i += quoted.length;
    } else if (block) {
      flush();
      found.push(block);
      i += block.length;
    } else if (sql[i] === ';') {
      flush();
      i += 1;
    } else {
      current += sql[i];
      i += 1;
    }
  }
  flush();
  return found;
}

export interface ScriptHost {
  exists(database: string): boolean;
  /** One elementary statement. */
  run(statement: string): Promise<void>;
  /** False when the client has gone: the server then ends the batch where it is. */
  alive(): boolean;
}

export async function runScript(statements: readonly string[], host: ScriptHost): Promise<void> {
  let caught: ServerError | undefined;
  let where: 'plain' | 'try' | 'catch' = 'plain';
  for (const statement of statements) {
    if (!host.alive()) return;
    if (statement === 'BEGIN TRY') where = 'try';
    else if (statement === 'END TRY') where = 'plain';
    else if (statement === 'BEGIN CATCH') where = 'catch';
    else if (statement === 'END CATCH') where = 'plain';
    else if (where === 'catch' && !caught) continue;
    else if (where === 'try' && caught) continue;
    else if (statement === 'THROW') throw caught!;
    else {
      try {
        await conditional(statement, host);
      } catch (error) {
        if (where !== 'try' || !(error instanceof ServerError)) throw error;
        caught = error;
      }
    }
  }
}

const CONDITION = /^IF\s+(.+?)\s*\n\s*([\s\S]+)$/;
const TEST = /^DB_ID\(N'((?:[^']|'')*)'\) IS (NOT )?NULL$/;

async function conditional(statement: string, host: ScriptHost): Promise<void> {
  const [, condition, consequence] = CONDITION.exec(statement) ?? [];
  if (condition === undefined) return host.run(statement);
  const holds = condition.split(' AND ').every((part) => {
    const [whole, name, not] = TEST.exec(part.trim()) ?? [];
    if (whole === undefined) throw new ServerError(102, `Incorrect syntax near '${part}'.`, 15);
    return host.exists(name!.replaceAll("''", "'")) === (not !== undefined);
  });
  if (holds) await host.run(consequence!);
}
