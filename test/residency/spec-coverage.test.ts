/** Nobody may add a property to the AWS specification that could move data without somebody deciding about it. */
import { readFileSync } from 'node:fs';
import type { PropertyClue, PropertyRule } from '../../lib/residency/model';
import { candidateReason, candidates, specProperties } from '../../scripts/residency-candidates.mts';

const rows: PropertyRule[] = JSON.parse(readFileSync('lib/residency/data/properties.json', 'utf8'));
const spec = specProperties();
const keyOf = ({ type, path }: { type: string; path: string }) => `${type} ${path}`;
const decided = new Set(rows.map(keyOf));

/** Custom resources of the CDK are in no specification. */
const custom = (type: string) => type.startsWith('Custom::');

/** A path may go on with a key of a map or of a free JSON value, whose keys the specification does not name. */
function inSpec(type: string, path: string): boolean {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  const kind = spec.get(`${type} ${parent}`)?.kind ?? '';
  return spec.has(`${type} ${path}`) || kind === 'json' || kind.endsWith('in a list or map');
}

const places: [string, string][] = rows.flatMap((row) => {
  const clues: { path: string }[] = [...(row.also ?? []), ...(row.unless ?? [])];
  if (row.other !== undefined) clues.push(row.other);
  if (row.when !== undefined) clues.push(row.when);
  return [row.path, ...clues.map(({ path }) => path)].map((path): [string, string] => [row.type, path]);
});

test('every candidate of the installed specification is decided', () => {
  const open = candidates().filter((property) => !decided.has(keyOf(property)));
  expect(open.map((property) => `${keyOf(property)} (${candidateReason(property)})`)).toEqual([]);
});

test('the net catches what a new property would look like', () => {
  const kind = 'string';
  const caught = [
    'ReplicaRegion',
    'TargetAccountIds',
    'LogDestinationArn',
    'ExportBucket',
    'Peers[].PeerRegionName',
  ];
  for (const path of caught) {
    expect(candidateReason({ type: 'AWS::New::Thing', path, kind, documentation: '' })).toBeDefined();
  }
  for (const path of ['Description', 'Tags', 'InstanceType', 'DestinationCidrBlock']) {
    expect(candidateReason({ type: 'AWS::New::Thing', path, kind, documentation: '' })).toBeUndefined();
  }
});

test('every row and every path it reads is in the specification', () => {
  expect(places.filter(([type, path]) => !custom(type) && !inSpec(type, path))).toEqual([]);
});

test('rows are sorted, unique and complete', () => {
  const keys = rows.map(({ type, path }) => `${type}\0${path}`);
  expect(keys).toEqual([...new Set(keys)].sort());
  for (const row of rows) {
    const moves = row.class === 'moves-data';
    const complete = moves === (row.what !== undefined) && moves === (row.form !== undefined);
    const extras = [row.end, row.other, row.also, row.when, row.unless, row.assumeOwn].some(
      (it) => it !== undefined,
    );
    const reason = /^[A-Z].*\.$/.test(row.reason) && row.reason.length <= 200;
    expect({ row: keyOf(row), complete, reason, extras: moves || !extras }).toEqual({
      row: keyOf(row),
      complete: true,
      reason: true,
      extras: true,
    });
  }
});

test('a clue shares the lists of the row it belongs to', () => {
  const lists = (path: string) => path.split('.').filter((step) => step.endsWith('[]')).length;
  const shared = (a: string, b: string) => {
    const steps = b.split('.');
    const common = a.split('.').findIndex((step, i) => step !== steps[i]);
    return lists(a.split('.').slice(0, common).join('.'));
  };
  const clues = (row: PropertyRule): PropertyClue[] => row.also?.slice() ?? [];
  const astray = rows.flatMap((row) =>
    clues(row)
      .filter(({ path }) => lists(path) > shared(row.path, path))
      .map(({ path }) => `${keyOf(row)} ${path}`),
  );
  expect(astray).toEqual([]);
});
