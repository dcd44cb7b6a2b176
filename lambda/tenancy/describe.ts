import { InputError } from '../errors.js';
import {
  keyOf,
  nameOf,
  type Rule,
  type TableName,
  type TableTenancy,
  type TenancyDescription,
} from './description.js';

/** What a description accepts of a table. */
const FLAGS = ['unindexed', 'triggersRun'] as const;

type Json = Record<string, unknown>;

/** A tenancy description out of a file or an archive's manifest. Everything that is wrong with it is said at once, with its place. */
export function describe(value: unknown, file: string): TenancyDescription {
  const reader = new Reader();
  const description = reader.description(value);
  if (reader.problems.length > 0 || !description) {
    const shown = reader.problems.slice(0, 20);
    const more = reader.problems.length - shown.length;
    throw new InputError(
      `${file} is not a tenancy description: ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}`,
    );
  }
  return description;
}

class Reader {
  public readonly problems: string[] = [];
  private schema = '';

  public description(value: unknown): TenancyDescription | undefined {
    const top = this.object(value, 'the document', ['schemaVersion', 'schema', 'tenants', 'tables']);
    if (!top) return undefined;
    if (top.schemaVersion !== 1)
      this.problems.push(`schemaVersion must be 1, got ${JSON.stringify(top.schemaVersion ?? null)}`);
    if (top.schema !== undefined) this.schema = this.text(top.schema, 'schema') ?? '';
    const tenants = top.tenants === undefined ? undefined : this.tenants(top.tenants);
    if (!Array.isArray(top.tables)) {
      this.problems.push(
        'tables must be a list of tables, each with `table` and how its rows tell their tenant',
      );
      return undefined;
    }
    const tables = top.tables.flatMap((item, at) => this.table(item, `tables[${at}]`) ?? []);
    const seen = new Set<string>();
    for (const table of tables) {
      if (seen.has(keyOf(table))) this.problems.push(`table ${nameOf(table)} is described twice`);
      seen.add(keyOf(table));
    }
    return { schemaVersion: 1, ...(tenants ? { tenants } : {}), tables };
  }

  private tenants(value: unknown) {
    const item = this.object(value, 'tenants', ['schema', 'table', 'column']);
    if (!item) return undefined;
    const name = this.name(item, 'tenants');
    const column = this.text(item.column, 'tenants.column');
    return name && column !== undefined ? { ...name, column } : undefined;
  }

  private table(value: unknown, place: string): TableTenancy | undefined {
    const known = ['schema', 'table', 'column', 'through', 'reference', 'undecided', ...FLAGS, 'why'];
    const item = this.object(value, place, known);
    if (!item) return undefined;
    const name = this.name(item, place);
    if (!name) return undefined;
    const where = `${place} (${nameOf(name)})`;
    const kinds = ['column', 'through', 'reference', 'undecided'].filter((kind) => item[kind] !== undefined);
    if (kinds.length !== 1) {
      this.problems.push(
        `${where} must have exactly one of column, through, reference; it has ${kinds.join(', ') || 'none'}`,
      );
      return undefined;
    }
    if (item.why !== undefined) this.text(item.why, `${where}: why`);
    for (const flag of FLAGS) {
      if (item[flag] !== undefined && item[flag] !== true)
        this.problems.push(`${where}: ${flag} can only be true, got ${JSON.stringify(item[flag])}`);
    }
    const rule = this.rule(item, where);
    if (!rule) return undefined;
    return {
      ...name,
      ...rule,
      ...(typeof item.why === 'string' ? { why: item.why } : {}),
      ...Object.fromEntries(FLAGS.filter((flag) => item[flag] === true).map((flag) => [flag, true])),
    };
  }

  private rule(item: Json, where: string): Rule | undefined {
    if (item.undecided !== undefined) {
      this.problems.push(
        `${where} is undecided; write instead column: NAME, through: a foreign key, or reference: true if all tenants share its rows`,
      );
      return undefined;
    }
    if (item.reference !== undefined) {
      if (item.reference === true) return { reference: true };
      this.problems.push(`${where}: reference can only be true, got ${JSON.stringify(item.reference)}`);
      return undefined;
    }
    if (item.column !== undefined) {
      const column = this.text(item.column, `${where}: column`);
      return column === undefined ? undefined : { column };
    }
    const through = this.object(item.through, `${where}: through`, ['columns', 'to', 'toColumns']);
    if (!through) return undefined;
    const columns = this.texts(through.columns, `${where}: through.columns`);
    const toColumns = this.texts(through.toColumns, `${where}: through.toColumns`);
    const target = this.object(through.to, `${where}: through.to`, ['schema', 'table']);
    const to = target && this.name(target, `${where}: through.to`);
    if (!columns || !toColumns || !to) return undefined;
    if (columns.length !== toColumns.length) {
      this.problems.push(
        `${where}: through has ${columns.length} columns and ${toColumns.length} toColumns; they must be as many`,
      );
      return undefined;
    }
    return { through: { columns, to, toColumns } };
  }

  private name(item: Json, place: string): TableName | undefined {
    const table = this.text(item.table, `${place}: the table's name`);
    // Empty, as this reader itself writes where there is none.
    const none = item.schema === undefined || item.schema === '';
    const schema = none ? this.schema : this.text(item.schema, `${place}: schema`);
    return table === undefined || schema === undefined ? undefined : { schema, table };
  }

  private object(value: unknown, place: string, known: readonly string[]): Json | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problems.push(`${place} must be a mapping, got ${short(value)}`);
      return undefined;
    }
    for (const key of Object.keys(value)) {
      if (!known.includes(key))
        this.problems.push(`${place} has ${JSON.stringify(key)}; known are ${known.join(', ')}`);
    }
    return value as Json;
  }

  private text(value: unknown, place: string): string | undefined {
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    this.problems.push(
      `${place} must be a text that is not empty, got ${short(value)}; put quotes around numbers`,
    );
    return undefined;
  }

  private texts(value: unknown, place: string): string[] | undefined {
    if (!Array.isArray(value) || value.length === 0) {
      this.problems.push(`${place} must be a list of column names, got ${short(value)}`);
      return undefined;
    }
    const texts = value.map((each, at) => this.text(each, `${place}[${at}]`));
    return texts.every((each) => each !== undefined) ? (texts as string[]) : undefined;
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value ?? null) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
