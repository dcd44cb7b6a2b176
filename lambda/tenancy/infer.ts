import type { CatalogTable, ForeignKey } from './catalog.js';
import { keyOf, nameOf, type TableName } from './description.js';

/** What was concluded of one table, and why; what is uncertain is for a person to decide. */
export interface InferredTable {
  readonly table: CatalogTable;
  readonly rule:
    | { readonly column: string }
    | { readonly through: ForeignKey }
    | { readonly reference: true }
    | { readonly undecided: true };
  readonly unindexed: boolean;
  readonly notes: readonly string[];
}

export interface Inference {
  readonly tenants?: TableName & { readonly column: string };
  readonly tables: readonly InferredTable[];
}

/**
 * Concludes from names, keys and indexes whose the rows are. A table that nothing speaks for is left undecided: to take
 * it for shared would leave it out of every dump.
 */
export function inferTenancy(catalog: readonly CatalogTable[], column: string): Inference {
  const tenants = tenantsOf(catalog, column);
  const found = new Map<string, InferredTable>();
  const add = (
    table: CatalogTable,
    rule: InferredTable['rule'],
    notes: string[],
    columns: readonly string[] = [],
  ) => {
    const unindexed =
      columns.length > 0 &&
      !table.indexes.some((index) => columns.every((each) => index.slice(0, columns.length).includes(each)));
    const loose = columns.filter((name) => table.columns.some((each) => each.name === name && each.nullable));
    found.set(keyOf(table), {
      table,
      rule,
      unindexed,
      notes: [
        ...notes,
        ...(loose.length > 0
          ? [`UNCERTAIN: ${loose.join(', ')} can be null; such rows belong to no tenant and are in no dump`]
          : []),
        ...(unindexed
          ? [
              `no index begins with (${columns.join(', ')}): every tenant costs the whole table; better create one`,
            ]
          : []),
        ...(table.primaryKey.length === 0 ? ['has no primary key'] : []),
        ...(table.unfit && !('reference' in rule) ? [`CANNOT BE RESTORED: ${table.unfit}`] : []),
        ...(table.triggers?.length && !('reference' in rule)
          ? [
              `UNCERTAIN: its triggers ${table.triggers.join(', ')} run when rows are restored; where that does no harm, write triggersRun: true`,
            ]
          : []),
      ],
    });
  };
  for (const table of catalog) {
    const own = table.columns.find(({ name }) => name === column);
    // What the server computes no archive holds.
    if (own?.generated)
      add(table, { undecided: true }, [
        `UNCERTAIN: the server computes ${column}, so that rows of an archive do not have it; whose are they?`,
      ]);
    else if (own) add(table, { column }, [`has the column, ${own.type}`], [column]);
    else if (tenants && keyOf(tenants) === keyOf(table))
      add(
        table,
        { column: tenants.column },
        [`the list of tenants: ${column} of other tables refers to it`],
        [tenants.column],
      );
  }
  for (let grew = true; grew; ) {
    grew = false;
    const before = new Set(found.keys());
    for (const table of catalog) {
      if (found.has(keyOf(table))) continue;
      const ways = table.foreignKeys.filter((key) => before.has(keyOf(key.to)));
      const firm = (key: ForeignKey) =>
        key.columns.every((name) => table.columns.some((each) => each.name === name && !each.nullable));
      const best = ways.find(firm) ?? ways[0];
      if (!best) continue;
      const others = ways.filter((key) => key !== best).map((key) => `${key.name} to ${nameOf(key.to)}`);
      add(
        table,
        { through: best },
        [
          `has no column ${column}; its foreign key ${best.name} leads to ${nameOf(best.to)}`,
          ...(others.length > 0
            ? [`UNCERTAIN: ${others.join(', ')} would do, too; all must lead to the same tenant`]
            : []),
        ],
        best.columns,
      );
      grew = true;
    }
  }
  const referred = new Set(
    [...found.values()].flatMap(({ table }) => table.foreignKeys.map((key) => keyOf(key.to))),
  );
  for (const table of catalog) {
    if (found.has(keyOf(table))) continue;
    if (referred.has(keyOf(table)))
      add(table, { reference: true }, [
        `tenants' tables refer to it, and it to none of theirs: taken as shared by all`,
      ]);
    else
      add(table, { undecided: true }, [
        `UNCERTAIN: no column ${column}, and no foreign key to or from a tenant's table; whose rows are these?`,
      ]);
  }
  return { ...(tenants ? { tenants } : {}), tables: catalog.map((table) => found.get(keyOf(table))!) };
}

/** The one table that the tenant columns refer to. */
function tenantsOf(catalog: readonly CatalogTable[], column: string): Inference['tenants'] {
  const targets = new Map<string, TableName & { readonly column: string }>();
  for (const { foreignKeys } of catalog) {
    for (const { columns, to, toColumns } of foreignKeys) {
      if (columns.length !== 1 || columns[0] !== column || toColumns[0] === column) continue;
      targets.set(JSON.stringify([keyOf(to), toColumns[0]]), { ...to, column: toColumns[0]! });
    }
  }
  return targets.size === 1 ? [...targets.values()][0] : undefined;
}

/** The description as YAML, with the reasons as comments. Names are written so that none of them can end its line. */
export function writeInference(inference: Inference, column: string, source: string): string {
  const quoted = (text: string) =>
    /^[a-z_][a-z0-9_]*$/.test(text) && !RESERVED.has(text) ? text : JSON.stringify(text);
  const list = (texts: readonly string[]) => `[${texts.map(quoted).join(', ')}]`;
  const comment = (text: string) => `# ${text.replace(/[\p{Cc}\u2028\u2029]/gu, ' ')}`;
  const schemas = new Map<string, number>();
  for (const { table } of inference.tables) schemas.set(table.schema, (schemas.get(table.schema) ?? 0) + 1);
  const common = [...schemas].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';
  const schema = (name: TableName) => (name.schema === common ? [] : [`schema: ${quoted(name.schema)}`]);
  const lines = [
    comment(
      `Tenancy of ${source}, inferred from the column ${column}. A proposal: read it, decide what is UNCERTAIN,`,
    ),
    comment(
      'then hold it against the database with `sovereign-backup tenancy check`. Whatever table is not in here,',
    ),
    comment('dump and restore refuse to run.'),
    'schemaVersion: 1',
    ...(common === '' ? [] : [`schema: ${quoted(common)}`]),
  ];
  if (inference.tenants) {
    lines.push('tenants:', ...schema(inference.tenants).map((line) => `  ${line}`));
    lines.push(
      `  table: ${quoted(inference.tenants.table)}`,
      `  column: ${quoted(inference.tenants.column)}`,
    );
  }
  lines.push('tables:');
  for (const { table, rule, unindexed, notes } of inference.tables) {
    const rows = table.estimatedRows < 0 ? 'rows not counted yet' : `about ${table.estimatedRows} rows`;
    lines.push('', ...[rows, ...notes].map((note) => `  ${comment(note)}`));
    lines.push(`  - table: ${quoted(table.table)}`, ...schema(table).map((line) => `    ${line}`));
    if ('column' in rule) lines.push(`    column: ${quoted(rule.column)}`);
    else if ('through' in rule) {
      lines.push('    through:', `      columns: ${list(rule.through.columns)}`);
      const { to } = rule.through;
      const target = [...schema(to), `table: ${quoted(to.table)}`].join(', ');
      lines.push(`      to: { ${target} }`, `      toColumns: ${list(rule.through.toColumns)}`);
    } else if ('reference' in rule) lines.push('    reference: true');
    else lines.push('    undecided: true # write column: NAME, or through: …, or reference: true');
    if (unindexed) lines.push('    unindexed: true');
  }
  return `${lines.join('\n')}\n`;
}

/** Plain words that YAML reads as something else than text. */
const RESERVED = new Set(['true', 'false', 'null', 'yes', 'no', 'on', 'off', 'y', 'n', 'inf', 'nan']);
