import { writeFileSync } from 'node:fs';
import { engineFor } from '../../lambda/engine/engines.js';
import { describeServer, parseServer } from '../../lambda/engine/server.js';
import { InputError, reasonOf } from '../../lambda/errors.js';
import { nameOf, withSchema } from '../../lambda/tenancy/description.js';
import { inferTenancy, writeInference } from '../../lambda/tenancy/infer.js';
import { planTenancy } from '../../lambda/tenancy/plan.js';
import { count } from '../count.js';
import { UsageError } from '../errors.js';
import { readTenancyFile } from './scope.js';

interface Where {
  readonly server: string;
  readonly database: string;
}

async function liveCatalog({ server: url, database }: Where) {
  const server = parseServer(url);
  const engine = await engineFor(server);
  if (!engine.catalog) throw new InputError(`${engine.name} has no shared tables with a tenant column here`);
  const catalog = await engine.catalog(server, database);
  if (catalog.tables.length === 0)
    throw new InputError(`database ${JSON.stringify(database)} on ${describeServer(server)} has no tables`);
  return { ...catalog, habits: engine.habits };
}

export async function inferCommand(
  options: Where & { readonly column: string; readonly out?: string },
): Promise<void> {
  const { tables } = await liveCatalog(options);
  if (!tables.some(({ columns }) => columns.some(({ name }) => name === options.column)))
    throw new UsageError(
      `no table of database ${JSON.stringify(options.database)} has a column ${JSON.stringify(options.column)}; give the one that holds the tenant`,
    );
  const inference = inferTenancy(tables, options.column);
  const text = writeInference(inference, options.column, `database ${options.database}`);
  if (options.out === undefined) process.stdout.write(text);
  else {
    try {
      writeFileSync(options.out, text, { flag: 'wx' });
    } catch (error) {
      throw new UsageError(`--out ${JSON.stringify(options.out)} cannot be written: ${reasonOf(error)}`);
    }
  }
  const open = inference.tables.filter(({ notes }) => notes.some((note) => note.startsWith('UNCERTAIN')));
  process.stderr.write(
    `${count(inference.tables.length, 'table')}; ${open.length === 0 ? 'none is uncertain' : `to decide: ${open.map(({ table }) => nameOf(table)).join(', ')}`}\n`,
  );
}

export async function checkCommand(
  file: string,
  options: Where & { readonly json?: boolean },
): Promise<void> {
  const given = await readTenancyFile(file);
  const { tables, defaultSchema, habits } = await liveCatalog(options);
  const {
    problems,
    warnings,
    tables: planned,
    references,
  } = planTenancy(withSchema(given, defaultSchema), tables, habits);
  const ok = problems.length === 0;
  if (!ok) process.exitCode = 1;
  if (options.json) {
    const order = planned.map(({ table }) => nameOf(table));
    const result = { ok, problems, warnings, tables: order, references: references.map(nameOf) };
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return;
  }
  for (const problem of problems) process.stdout.write(`problem: ${problem}\n`);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  if (ok)
    process.stdout.write(
      `${file} fits: ${count(planned.length, 'table')} with tenants' rows, ${references.length} shared by all\n`,
    );
}
