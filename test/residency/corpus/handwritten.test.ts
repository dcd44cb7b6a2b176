/**
 * Templates as people write them, through the command itself. Each folder of test/corpus has an expected.json with the
 * edges that a person found by reading, one a line: `LogicalId what from -> to verdict`, `?` for a place nobody can
 * know, and an account after a slash where it matters. Every edge must be found, and nothing else.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditResult, Edge, Place } from '../../../lib/residency/model';

const CORPUS = 'test/corpus';
const CLI = 'dist/bin/sovereign-backup.mjs';

interface Expected {
  readonly args: readonly string[];
  readonly policy?: string;
  /** Files to audit; the whole folder where absent. */
  readonly paths?: readonly string[];
  readonly edges: readonly string[];
}

const cases = readdirSync(CORPUS).filter((name) => existsSync(join(CORPUS, name, 'expected.json')));

function run(name: string): { expected: Expected; result: AuditResult; status: number | null } {
  const folder = join(CORPUS, name);
  const expected: Expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const args = [...expected.args, '--format', 'json'];
  if (expected.policy !== undefined) args.push('--policy', join(folder, expected.policy));
  const paths = expected.paths?.map((path) => join(folder, path)) ?? [folder];
  const done = spawnSync(process.execPath, [CLI, 'audit', ...paths, ...args], { encoding: 'utf8' });
  if (done.stdout === '') throw new Error(`${name}: exit ${done.status}: ${done.stderr}`);
  return { expected, result: JSON.parse(done.stdout), status: done.status };
}

const place = (at: Place, named: string | undefined) =>
  `${at.region ?? '?'}${named?.includes('/') ? `/${at.account}` : ''}`;

/** The edge as a line, with as much of the accounts as the expected line has. */
function line(edge: Edge, like: string): string {
  const [, , from, , to] = like.split(' ');
  return `${edge.logicalId} ${edge.what} ${place(edge.from, from)} -> ${place(edge.to, to)} ${edge.verdict}`;
}

/** Takes each expected line away from the edges found: what is left on either side is wrong. */
function compare(expected: readonly string[], edges: readonly Edge[]): { missed: string[]; extra: string[] } {
  const left = [...edges];
  // Lines that name an account first, so that a looser line does not take their edge.
  const lines = [...expected].sort((a, b) => Number(b.includes('/')) - Number(a.includes('/')));
  const missed = lines.filter((wanted) => {
    const index = left.findIndex((edge) => line(edge, wanted) === wanted);
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return { missed, extra: left.map((edge) => `${line(edge, '')} at ${edge.propertyPath}`) };
}

test('the corpus has cases of every kind', () => {
  expect(cases.length).toBeGreaterThanOrEqual(15);
});

test.each(cases)('%s', (name) => {
  const { expected, result, status } = run(name);
  expect(compare(expected.edges, result.edges)).toEqual({ missed: [], extra: [] });
  expect(result.summary.edges).toBe(expected.edges.length);
  const wrong = expected.edges.some((wanted) => /(violation|impossible)$/.test(wanted));
  if (wrong) expect(status).toBe(1);
});
