/**
 * For every property by which data moves: templates in which it does, written in every style, and look-alikes in
 * which it does not. The expectations come from the rows, never from what the audit says.
 */
import fc from 'fast-check';
import { audit } from '../../../dist/lib/residency/audit';
import { DEFAULT_POLICY } from '../../../dist/lib/residency/policy';
import type { Edge, PropertyRule } from '../../../lib/residency/model';
import { either, nothingAround, STYLE_NAMES, STYLES, type Surroundings } from './intrinsics';
import {
  type Example,
  examples,
  HERE,
  lookAlikes,
  MOVING,
  PLACES,
  pathIn,
  propertiesOf,
  THERE,
} from './rows';

const policy = { ...DEFAULT_POLICY, places: PLACES };
const now = new Date('2026-11-24T00:00:00Z');

const NEIGHBOURS = {
  Neighbour: { Type: 'AWS::SQS::Queue' },
  OwnBucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'corpus-same-stack' } },
};

function edgesIn(row: PropertyRule, properties: unknown, around: Surroundings): readonly Edge[] {
  const resource = { Type: row.type, Properties: properties };
  const { exported, ...sections } = around;
  const document = {
    Description: THERE.region,
    ...sections,
    Resources: { ...NEIGHBOURS, Subject: resource },
  };
  const input = { path: 't.json', sha256: '', document, stack: 'subject', ...HERE };
  const outputs = Object.entries(exported).map(([name, Value], i) => [
    `O${i}`,
    { Value, Export: { Name: name } },
  ]);
  const exporter = {
    ...input,
    path: 'e.json',
    stack: 'exporter',
    document: { Outputs: Object.fromEntries(outputs) },
  };
  return audit([input, exporter], policy, { now }).edges;
}

/** What the row says the edge must be, as one line; account only where the example names one. */
function wanted(row: PropertyRule, { at }: Example): string {
  const far = `${at.region}/${at.account ?? '*'}`;
  const near = `${HERE.region}/*`;
  return row.end === 'from' ? `${row.what} ${far} -> ${near}` : `${row.what} ${near} -> ${far}`;
}

function seen(row: PropertyRule, edge: Edge, { at }: Example): string {
  const far = row.end === 'from' ? edge.from : edge.to;
  const near = row.end === 'from' ? edge.to : edge.from;
  const farText = `${far.region}/${at.account === undefined ? '*' : far.account}`;
  const nearText = `${near.region}/*`;
  return row.end === 'from'
    ? `${edge.what} ${farText} -> ${nearText}`
    : `${edge.what} ${nearText} -> ${farText}`;
}

const problemsOf = (row: PropertyRule, style: string, example: Example, edges: readonly Edge[]): string[] => {
  const where = `${row.type} ${row.path} (${style}: ${example.value})`;
  const [edge] = edges;
  if (edge === undefined || edges.length !== 1) return [`${where}: ${edges.length} edges instead of 1`];
  const problems: string[] = [];
  if (seen(row, edge, example) !== wanted(row, example))
    problems.push(`${where}: ${seen(row, edge, example)}, not ${wanted(row, example)}`);
  if (!pathIn(row).test(edge.propertyPath)) problems.push(`${where}: at ${edge.propertyPath}`);
  const { region, country } = example.at;
  if (edge.to.country !== country) problems.push(`${where}: country ${edge.to.country}, not ${country}`);
  const unknown = region === null && country === undefined;
  const verdict = unknown ? 'undetermined' : region === HERE.region ? 'allowed' : 'violation';
  if (edge.verdict !== verdict) problems.push(`${where}: ${edge.verdict}, not ${verdict}`);
  return problems;
};

test('there are as many moving properties as the reviewed data has', () => {
  expect(MOVING.length).toBeGreaterThan(500);
  expect(MOVING.filter((row) => examples(row).length === 0)).toEqual([]);
});

test.each(STYLE_NAMES)('every edge is found, written as %s', (style) => {
  const problems: string[] = [];
  for (const row of MOVING) {
    for (const example of examples(row)) {
      const around = nothingAround();
      const value = STYLES[style](example.value, around);
      problems.push(...problemsOf(row, style, example, edgesIn(row, propertiesOf(row, value), around)));
    }
  }
  expect(problems).toEqual([]);
});

test('both branches of a choice are found, and nothing more', () => {
  const problems: string[] = [];
  for (const row of MOVING) {
    const example = examples(row)[0]!;
    for (const home of lookAlikes(row)) {
      const around = nothingAround();
      const value = either(home, STYLES['Fn::Join'](example.value, around), around);
      problems.push(...problemsOf(row, 'Fn::If', example, edgesIn(row, propertiesOf(row, value), around)));
    }
    const around = nothingAround();
    const value = either({ Ref: 'AWS::NoValue' }, example.value, around);
    problems.push(...problemsOf(row, 'Fn::If', example, edgesIn(row, propertiesOf(row, value), around)));
  }
  expect(problems).toEqual([]);
});

test('no look-alike is taken for an edge', () => {
  const found: string[] = [];
  for (const row of MOVING) {
    for (const value of lookAlikes(row)) {
      for (const edge of edgesIn(row, propertiesOf(row, value), nothingAround())) {
        found.push(
          `${row.type} ${row.path} = ${JSON.stringify(value)}: ${edge.from.region} -> ${edge.to.region}`,
        );
      }
    }
  }
  expect(found).toEqual([]);
});

test('a value nobody can know is undetermined, except where AWS takes only the own region', () => {
  const wrong: string[] = [];
  for (const row of MOVING) {
    if (row.when?.path === row.path) continue;
    const around = nothingAround();
    around.Parameters.Late = { Type: 'String' };
    const edges = edgesIn(row, propertiesOf(row, { Ref: 'Late' }), around);
    const verdicts = edges.map(({ verdict }) => verdict);
    // Of an account that is not known, the region still is.
    const expected = row.assumeOwn ? [] : /account/.test(row.form!) ? ['allowed'] : ['undetermined'];
    if (JSON.stringify(verdicts) !== JSON.stringify(expected))
      wrong.push(`${row.type} ${row.path}: ${verdicts}`);
  }
  expect(wrong).toEqual([]);
});

test('a row that is switched off makes no edge', () => {
  const found: string[] = [];
  for (const row of MOVING) {
    const example = examples(row)[0]!;
    for (const { path, in: values } of row.unless ?? []) {
      for (const off of values ?? []) {
        const edges = edgesIn(row, propertiesOf(row, example.value, { [path]: off }), nothingAround());
        if (edges.length > 0) found.push(`${row.type} ${row.path} with ${path} = ${off}`);
      }
    }
    if (row.when === undefined || row.when.path === row.path || row.when.in === undefined) continue;
    const edges = edgesIn(
      row,
      propertiesOf({ ...row, when: undefined }, example.value, { [row.when.path]: 'other' }),
      nothingAround(),
    );
    if (edges.length > 0) found.push(`${row.type} ${row.path} with ${row.when.path} = other`);
  }
  expect(found).toEqual([]);
});

test('an account named next to a place in the own region makes an edge', () => {
  const missed: string[] = [];
  let cases = 0;
  for (const row of MOVING) {
    const [home] = lookAlikes(row);
    for (const { path, form } of row.also ?? []) {
      if (form !== 'account' || home === undefined) continue;
      cases++;
      const edges = edgesIn(row, propertiesOf(row, home, { [path]: THERE.account }), nothingAround());
      const accounts = edges.map(({ from, to }) => (row.end === 'from' ? from : to).account);
      if (accounts.length !== 1 || accounts[0] !== THERE.account)
        missed.push(`${row.type} ${row.path}: ${accounts}`);
    }
  }
  expect(cases).toBeGreaterThan(10);
  expect(missed).toEqual([]);
});

/** What else people wrap around a value that is an intrinsic already. */
const WRAPPERS = {
  join: (value: unknown) => ({ 'Fn::Join': ['', [value]] }),
  sub: (value: unknown) => ({ 'Fn::Sub': [`\${V}`, { V: value }] }),
  select: (value: unknown) => ({ 'Fn::Select': [1, ['wrong', value]] }),
  split: (value: unknown) => ({
    'Fn::Select': [0, { 'Fn::Split': ['|', { 'Fn::Join': ['|', [value, 'x']] }] }],
  }),
};
const wrappings = fc.array(fc.constantFrom(...Object.values(WRAPPERS)), { maxLength: 3 });

test('any nesting of intrinsics gives the same edge', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MOVING),
      fc.constantFrom(...STYLE_NAMES),
      wrappings,
      fc.boolean(),
      fc.nat(),
      (row, style, wrappers, chosen, pick) => {
        const all = examples(row);
        const example = all[pick % all.length]!;
        const around = nothingAround();
        let value: unknown = STYLES[style](example.value, around);
        for (const wrap of wrappers) value = wrap(value);
        if (chosen) value = either(value, lookAlikes(row)[0], around);
        expect(
          problemsOf(
            row,
            `${style}, ${wrappers.length} deep`,
            example,
            edgesIn(row, propertiesOf(row, value), around),
          ),
        ).toEqual([]);
      },
    ),
    { numRuns: 400 },
  );
});

/** Properties and resources in another order: what a formatter or another synthesizer makes of a template. */
function reordered(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(reordered);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node)
      .reverse()
      .map(([key, value]) => [key, reordered(value)]),
  );
}

test('many resources in one template give the edges of each, in any order', () => {
  const some = fc.uniqueArray(fc.nat({ max: MOVING.length - 1 }), { minLength: 2, maxLength: 25 });
  fc.assert(
    fc.property(some, fc.constantFrom(...STYLE_NAMES), fc.boolean(), (indexes, style, backwards) => {
      const around = nothingAround();
      const resources: Record<string, unknown> = { ...NEIGHBOURS };
      const wantedLines: string[] = [];
      indexes.forEach((index, i) => {
        const row = MOVING[index]!;
        // A member of a global cluster finds the other members given, and no longer only the listed ones.
        if (row.form === 'global-id') return;
        const example = examples(row)[0]!;
        const value = i % 3 === 0 ? lookAlikes(row)[0] : STYLES[style](example.value, around);
        resources[`R${i}`] = { Type: row.type, Properties: propertiesOf(row, value) };
        if (i % 3 !== 0) wantedLines.push(`R${i} ${example.at.region}`);
      });
      const { exported, ...sections } = around;
      const whole = { ...sections, Resources: resources };
      const document = (backwards ? reordered(whole) : whole) as Record<string, unknown>;
      const input = { path: 't.json', sha256: '', document, stack: 'subject', ...HERE };
      const outputs = Object.entries(exported).map(([name, Value], i) => [
        `O${i}`,
        { Value, Export: { Name: name } },
      ]);
      const exporter = { ...input, stack: 'exporter', document: { Outputs: Object.fromEntries(outputs) } };
      const { edges } = audit([exporter, input], policy, { now });
      const rowOf = (logicalId: string) => MOVING[indexes[Number(logicalId.slice(1))]!]!;
      const seenLines = edges.map((edge) => {
        const far = rowOf(edge.logicalId).end === 'from' ? edge.from : edge.to;
        return `${edge.logicalId} ${far.region}`;
      });
      expect(seenLines.sort()).toEqual(wantedLines.sort());
    }),
    { numRuns: 150 },
  );
});
