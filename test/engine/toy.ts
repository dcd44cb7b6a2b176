// An engine for databases that are lines of text in memory: all of it, in one file.
import { buffer } from 'node:stream/consumers';
import type { Engine } from '../../lambda/engine/engine.js';
import { InputError, OperationError } from '../../lambda/errors.js';

/** The server: its databases, kept copies among them. */
export const databases = new Map<string, string[]>();

const FORMAT = 'toy lines';
const tablesOf = (lines: readonly string[]) => [{ schema: 'toy', name: 'lines', rows: lines.length }];
const kept = (database: string) =>
  [...databases.keys()].filter((name) => name.startsWith(`${database} as of `)).sort();

function find(database: string): string[] {
  const lines = databases.get(database);
  if (!lines) throw new InputError(`there is no database ${JSON.stringify(database)}`);
  return lines;
}

function replace(database: string, lines: string[]): { undo?: string } {
  const old = databases.get(database);
  const undo = `${database} as of ${Date.now()} ${databases.size}`;
  if (old) databases.set(undo, old);
  databases.set(database, lines);
  return old ? { undo } : {};
}

export const toy: Engine = {
  name: 'toy',
  databases: async () => [...databases.keys()],
  async dump({ database }) {
    const lines = find(database);
    const bytes = Buffer.from(JSON.stringify(lines));
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    return {
      facts: {
        at: new Date(),
        serverVersion: '1',
        clientVersion: '1',
        format: FORMAT,
        snapshot: 'all of it',
        estimatedBytes: bytes.length,
        roles: [],
        omitted: [],
        properties: {},
      },
      stream: (async function* () {
        yield bytes;
        end();
      })(),
      finished: ended.then(() => ({
        tables: tablesOf(lines),
        omitted: [{ what: 'colours', why: 'lines have none' }],
      })),
      close: async () => {},
    };
  },
  async prepareRestore({ database, facts, open, tables }) {
    if (facts.format !== FORMAT) throw new InputError(`the archive is ${facts.format}`);
    const lines: string[] = JSON.parse(String(await buffer(await open())));
    if (lines.length !== tables[0]!.rows) throw new OperationError('the copy has other rows');
    return {
      side: `${database} beside`,
      liveExists: databases.has(database),
      tables: tablesOf(lines),
      warnings: ['a toy'],
      swap: async () => replace(database, lines),
      keepAs: async (name) => void databases.set(name, lines),
      discard: async () => {},
    };
  },
  async undo({ database, confirm }) {
    const from = kept(database).at(-1);
    if (from === undefined) throw new InputError('nothing is kept');
    await confirm({ name: from, at: new Date(), holder: 'database' });
    const lines = find(from);
    databases.delete(from);
    return { from, keptSince: new Date(), ...replace(database, lines) };
  },
};
