import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import type { CatalogTable, ForeignKey } from '../../lambda/tenancy/catalog';
import { type ContainerHead, folderOf, readContainer, writeContainer } from '../../lambda/tenancy/container';
import { describe as described } from '../../lambda/tenancy/describe';
import { keyOf } from '../../lambda/tenancy/description';
import { inferTenancy, writeInference } from '../../lambda/tenancy/infer';
import { planTenancy } from '../../lambda/tenancy/plan';
import { readDescription } from '../../lambda/tenancy/read';

const column = (name: string, nullable = false) => ({
  name,
  type: 'int',
  nullable,
  generated: false,
  hasDefault: false,
});
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

/** A catalogue of tables with a tenant column and any foreign keys among them. */
const catalogs = fc
  .array(
    fc.record({
      from: fc.constantFrom(...NAMES),
      to: fc.constantFrom(...NAMES),
      nullable: fc.boolean(),
      deferrable: fc.boolean(),
      onDelete: fc.constantFrom<ForeignKey['onDelete']>('no action', 'cascade', 'set null', 'restrict'),
    }),
    { maxLength: 14 },
  )
  .map((edges): CatalogTable[] =>
    NAMES.map((table) => {
      const own = edges.filter(({ from }) => from === table);
      return {
        schema: 'public',
        table,
        kind: 'table',
        columns: [
          column('id'),
          column('tenant_id'),
          ...own.map(({ nullable }, at) => column(`ref${at}`, nullable)),
        ],
        primaryKey: ['id'],
        indexes: [['id'], ['tenant_id']],
        estimatedRows: 1,
        foreignKeys: own.map(({ to, deferrable, onDelete }, at) => ({
          name: `${table}_${at}`,
          columns: [`ref${at}`],
          to: { schema: 'public', table: to },
          toColumns: ['id'],
          onDelete,
          deferrable,
        })),
      };
    }),
  );
const everyTable = (catalog: readonly CatalogTable[]) => ({
  schemaVersion: 1 as const,
  tables: catalog.map(({ schema, table }) => ({ schema, table, column: 'tenant_id' })),
});

describe('a plan', () => {
  test.each([true, false])(
    'has parents before children, or says which circle it cannot open (%s)',
    (immediate) => {
      fc.assert(
        fc.property(catalogs, (catalog) => {
          const plan = planTenancy(everyTable(catalog), catalog, { immediateForeignKeys: immediate });
          const at = new Map(plan.tables.map(({ table }, position) => [keyOf(table), position]));
          expect([...at.keys()].sort()).toEqual(catalog.map(keyOf).sort());
          const waits = catalog.flatMap((table) =>
            table.foreignKeys
              .filter((key) => !plan.deferred.some(({ foreignKey }) => foreignKey === key))
              .filter((key) => !plan.tables.some(({ nullFirst }) => nullFirst.includes(key)))
              .filter((key) => immediate || keyOf(key.to) !== keyOf(table))
              .map((key) => [at.get(keyOf(table))!, at.get(keyOf(key.to))!] as const),
          );
          const kept = waits.every(([child, parent]) => parent < child);
          expect(kept).toBe(plan.problems.length === 0);
          for (const { table, nullFirst } of plan.tables)
            for (const { columns } of nullFirst)
              expect(
                columns.some((name) => table.columns.some((each) => each.name === name && each.nullable)),
              ).toBe(true);
          for (const { foreignKey } of plan.deferred)
            expect([foreignKey.deferrable, foreignKey.onDelete]).toEqual([true, 'no action']);
          expect(plan.crossings).toHaveLength(catalog.flatMap(({ foreignKeys }) => foreignKeys).length);
        }),
        { numRuns: 300 },
      );
    },
  );

  test('is refused for each table that is missing, added, or reached by nothing', () => {
    fc.assert(
      fc.property(catalogs, fc.constantFrom(...NAMES), (catalog, name) => {
        const all = everyTable(catalog);
        const without = { ...all, tables: all.tables.filter(({ table }) => table !== name) };
        expect(planTenancy(without, catalog).problems).toContainEqual(
          expect.stringContaining(`table public.${name} is not in the description`),
        );
        const gone = catalog.filter(({ table }) => table !== name);
        expect(planTenancy(all, gone).problems).toContain(
          `table public.${name} is described, and is not in the database`,
        );
      }),
    );
    const [a, b] = [
      { schema: '', table: 'a' },
      { schema: '', table: 'b' },
    ];
    const key = (to: typeof a, name: string) => ({
      name,
      columns: ['x'],
      to,
      toColumns: ['id'],
      onDelete: 'no action' as const,
      deferrable: true,
    });
    const table = (name: typeof a, to: typeof a) => ({
      ...name,
      kind: 'table' as const,
      columns: [column('id'), column('x')],
      primaryKey: ['id'],
      indexes: [['x']],
      estimatedRows: 1,
      foreignKeys: [key(to, `${name.table}_x`)],
    });
    const through = (name: typeof a, to: typeof a) => ({
      ...name,
      through: { columns: ['x'], to, toColumns: ['id'] },
    });
    const plan = planTenancy({ schemaVersion: 1, tables: [through(a, b), through(b, a)] }, [
      table(a, b),
      table(b, a),
    ]);
    expect(plan.problems).toContain('table a goes through tables in a circle, and no tenant column ends it');
    const shared = (why: object) =>
      planTenancy(
        {
          schemaVersion: 1,
          tables: [
            { ...a, column: 'x' },
            { ...b, reference: true, ...why },
          ],
        },
        [table(a, a), table(b, b)],
      ).problems;
    expect(shared({})).toContainEqual(
      expect.stringMatching(/^table b is described as shared .* has the column "x".*write `column: x`/),
    );
    expect(shared({ why: 'a log' })).not.toContainEqual(expect.stringContaining('described as shared'));
    const computed = {
      ...table(a, a),
      foreignKeys: [],
      columns: [column('id'), { ...column('x'), generated: true }],
    };
    const rule = { schemaVersion: 1 as const, tables: [{ ...a, column: 'x' }] };
    expect(planTenancy(rule, [computed]).problems).toContainEqual(
      expect.stringContaining('table a tells its tenant by "x", which the server computes'),
    );
    expect(inferTenancy([computed], 'x').tables[0]!.rule).toEqual({ undecided: true });
  });
});

test('an inference with any names is read back as it was meant, and fits the schema', () => {
  const validate = new Ajv({ strict: false }).compile(
    JSON.parse(readFileSync(join(__dirname, '../../schema/tenancy.schema.json'), 'utf8')),
  );
  const hostile = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(catalogs, fc.array(hostile, { minLength: 8, maxLength: 8 }), (catalog, names) => {
      fc.pre(new Set(names).size === 8);
      const rename = (table: string) => names[NAMES.indexOf(table)]!;
      const renamed = catalog.map((table) => ({
        ...table,
        schema: names[7]!,
        table: rename(table.table),
        columns: table.columns.filter(({ name }) => name !== 'tenant_id' || table.table < 'd'),
        foreignKeys: table.foreignKeys.map((key) => ({
          ...key,
          to: { schema: names[7]!, table: rename(key.to.table) },
        })),
      }));
      const text = writeInference(inferTenancy(renamed, 'tenant_id'), 'tenant_id', names[0]!).replace(
        /undecided: true.*/g,
        'reference: true',
      );
      const read = readDescription(text, 'x');
      expect(read.tables.map(keyOf)).toEqual(renamed.map(keyOf));
      expect(validate(parse(text))).toBe(true);
      expect(described(JSON.parse(JSON.stringify(read)), 'x')).toEqual(read);
      const { problems } = planTenancy(read, renamed);
      expect(problems.filter((problem) => !problem.includes('in a circle ('))).toEqual([]);
    }),
  );
});

test.each([
  ['tables: [', 'x.yaml is not YAML or JSON'],
  ['[]', 'the document must be a mapping, got []'],
  [
    'schemaVersion: 1\ntables: &all [*all]',
    'an alias (*) in it stands for something that it is itself a part of',
  ],
  ['schemaVersion: 2\ntables: []', 'schemaVersion must be 1, got 2'],
  ['schemaVersion: 1', 'tables must be a list'],
  ['schemaVersion: 1\ntabels: []\ntables: []', 'the document has "tabels"; known are'],
  [
    'schemaVersion: 1\ntables: [{table: a}]',
    'tables[0] (a) must have exactly one of column, through, reference; it has none',
  ],
  ['schemaVersion: 1\ntables: [{table: a, column: x, reference: true}]', 'it has column, reference'],
  [
    'schemaVersion: 1\ntables: [{table: 1, column: x}]',
    "the table's name must be a text that is not empty, got 1; put quotes",
  ],
  ['schemaVersion: 1\ntables: [{table: a, reference: false}]', 'reference can only be true, got false'],
  ['schemaVersion: 1\ntables: [{table: a, undecided: true}]', 'is undecided; write instead'],
  [
    'schemaVersion: 1\ntables: [{table: a, through: {columns: [x], to: {table: b}, toColumns: [x, y]}}]',
    'through has 1 columns and 2 toColumns',
  ],
  ['schemaVersion: 1\ntables: [{table: a, column: x}, {table: a, column: y}]', 'table a is described twice'],
])('a description %j is refused with its reason', (text, reason) => {
  expect(() => readDescription(text, 'x.yaml')).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining(reason) }),
  );
});

describe('the container', () => {
  const at = new Date('2026-01-01');
  const head = (tables: readonly string[]): ContainerHead => ({
    schemaVersion: 1,
    engine: 'e',
    tenant: 't',
    description: { schemaVersion: 1, tables: [] },
    tables: tables.map((table, position) => ({
      folder: folderOf(position, table),
      schema: '',
      table,
      columns: [],
      primaryKey: [],
    })),
  });
  async function write(contents: Map<string, Buffer[]>): Promise<Buffer> {
    const out: Buffer[] = [];
    const open = async function* ({ table }: { table: string }) {
      yield* contents.get(table)!;
    };
    for await (const chunk of writeContainer(head([...contents.keys()]), at, 'copy', open, () => {}))
      out.push(chunk);
    return Buffer.concat(out);
  }
  async function read(bytes: Buffer, step: number): Promise<Map<string, string>> {
    const chunks = (async function* () {
      for (let from = 0; from < bytes.length; from += step) yield bytes.subarray(from, from + step);
    })();
    const found = new Map<string, string>();
    for await (const part of readContainer(chunks)) {
      if ('head' in part) for (const { table } of part.head.tables) found.set(table, '');
      if ('table' in part)
        found.set(part.table.table, found.get(part.table.table) + part.bytes.toString('latin1'));
    }
    return found;
  }
  const lines = fc.array(
    fc.string({ unit: fc.constantFrom('a', '\\', '\t', 'é') }).map((text) => Buffer.from(`${text}\n`)),
    { maxLength: 20 },
  );

  test('gives back what was put in, in chunks of any size, and breaks off nowhere unnoticed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string(), { maxLength: 4 }),
        fc.array(lines, { minLength: 4, maxLength: 4 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        async (tables, contents, step, share) => {
          const map = new Map(tables.map((table, n) => [table, contents[n]!]));
          const bytes = await write(map);
          expect(await read(bytes, step)).toEqual(
            new Map(tables.map((table, n) => [table, Buffer.concat(contents[n]!).toString('latin1')])),
          );
          await expect(read(bytes.subarray(0, Math.floor(bytes.length * share)), step)).rejects.toMatchObject(
            { exitCode: 3 },
          );
          await expect(read(Buffer.concat([bytes, Buffer.from('x')]), step)).rejects.toMatchObject({
            exitCode: 3,
          });
        },
      ),
    );
  });

  test('is a tar for everybody, cut between rows', async () => {
    const row = Buffer.from(`${'x'.repeat(999)}\n`);
    const bytes = await write(
      new Map([
        ['../../etc', Array.from({ length: 9000 }, () => row)],
        ['empty', []],
      ]),
    );
    const folder = mkdtempSync(join(tmpdir(), 'container-'));
    try {
      writeFileSync(join(folder, 'dump.tar'), bytes);
      const names = execFileSync('tar', ['-tf', join(folder, 'dump.tar')], { encoding: 'utf8' })
        .trim()
        .split('\n');
      expect(names).toEqual([
        'tables.json',
        'rows/0001-______etc/000001.copy',
        'rows/0001-______etc/000002.copy',
        'rows/0001-______etc/000003.copy',
        'rows/0002-empty/000001.copy',
        'end.json',
      ]);
      execFileSync('tar', ['-xf', join(folder, 'dump.tar'), '-C', folder]);
      expect(readFileSync(join(folder, names[1]!)).length % 1000).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
