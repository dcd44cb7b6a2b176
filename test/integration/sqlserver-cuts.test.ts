// The connection cut, or the client killed, before each single statement of a restore, a swap and an undo: afterwards
// live is the old or the new one, whole, or the next run makes it so, and nothing is left over.

import { useMoto } from '../support/moto';
import { everyFault, seeded, seedOf } from '../support/random';
import {
  content,
  engineOf,
  names,
  type Running,
  staged,
  stagingBucket,
  startSqlServer,
} from '../support/sqlserver';

const moto = useMoto();
let run: ReturnType<typeof engineOf>;
let server: Running;

beforeAll(async () => {
  await stagingBucket(moto());
  run = engineOf(moto());
});
afterEach(() => server?.stop());

const OLD = { t: ['old'] };
const NEW = { t: ['new', 'rows'] };

/**
 * Cuts at the n-th statement; tells whether there was one. A question asked again and again, as for the state of a task,
 * is one: how often it is asked depends on the machine, and the n-th statement shall be the same one in every run.
 */
function cutAt(n: number): () => boolean {
  let count = 0;
  let last = '';
  let cut = false;
  server.fault = (sql) => {
    if (sql !== last) count += 1;
    last = sql;
    if (cut || count !== n) return undefined;
    cut = true;
    return 'cut';
  };
  return () => {
    server.fault = () => undefined;
    return cut;
  };
}

async function fresh(rds: boolean) {
  await server?.stop();
  server = await startSqlServer(moto(), { rds });
  server.tasks.stepMillis = 1;
  server.statementSteps = 0;
  server.model.create('acme', NEW);
  server.model.create('other', { t: ['untouched'] });
  const dumped = await run.dump(server, 'acme');
  server.model.open('acme').tables = [server.model.table('t', OLD.t)];
  return dumped;
}

/** Live may be missing only while the journal says which copy takes its place. */
function wholeOrJournalled(): void {
  const live = server.model.find('acme');
  if (live) {
    expect([OLD, NEW]).toContainEqual(content(server, 'acme'));
    return;
  }
  const next = [...server.model.databases.values()].filter(({ properties }) =>
    properties['sovereign-backup']?.includes('"swap"'),
  );
  expect(next).toHaveLength(1);
}

/** One of the two is cut at every statement, the other at some of them, by turns of chance. */
const random = seeded(seedOf('cuts of SQL Server'));
const whollyRds = random() < 0.5;

describe.each([
  { kind: 'Amazon RDS', rds: true },
  { kind: 'SQL Server 2022', rds: false },
])('on $kind', ({ rds }) => {
  const whole = everyFault || rds === whollyRds;
  const step = () => (whole ? 1 : 1 + Math.floor(3 * random()));

  test('a restore', async () => {
    const dumped = await fresh(rds);
    let missing = 0;
    let cuts = 0;
    for (let n = 1; ; n += step()) {
      const wasCut = cutAt(n);
      const outcome = await run.restore(server, 'acme', dumped).catch((error) => error);
      if (!wasCut()) break;
      cuts += 1;
      if (outcome instanceof Error) expect(outcome).toMatchObject({ exitCode: expect.any(Number) });
      wholeOrJournalled();
      if (!server.model.find('acme')) missing += 1;
      // A tenant is found, and dumped, in whatever state its restore was left.
      expect(await run.databases(server, 'acm%')).toEqual(['acme']);
      if (cuts % 5 === 0) {
        await run.dump(server, 'acme');
        expect([OLD, NEW]).toContainEqual(content(server, 'acme'));
      }
      await run.restore(server, 'acme', dumped);
      expect(content(server, 'acme')).toEqual(NEW);
      expect(server.model.find('acme')).toMatchObject({ access: 'MULTI_USER', properties: {} });
      expect(names(server).filter((name) => name.includes('__restore_'))).toEqual([]);
      expect(await staged(moto())).toEqual([]);
      for (const { access } of server.model.databases.values()) expect(access).toBe('MULTI_USER');
      for (const name of names(server)) if (name.includes('__undo_')) server.model.databases.delete(name);
      server.model.open('acme').tables = [server.model.table('t', OLD.t)];
    }
    expect(cuts).toBeGreaterThan(whole ? 25 : 8);
    // Between the two renames there is a moment without the name: it was hit, and mended.
    if (whole) expect(missing).toBeGreaterThan(0);
    expect(content(server, 'other')).toEqual({ t: ['untouched'] });
  });

  test('an undo', async () => {
    const dumped = await fresh(rds);
    await run.restore(server, 'acme', dumped);
    let cuts = 0;
    for (let n = 1; ; n += step()) {
      const wasCut = cutAt(n);
      await run.undo(server, 'acme').catch((error) => error);
      if (!wasCut()) break;
      cuts += 1;
      wholeOrJournalled();
      const before = server.model.find('acme') && content(server, 'acme');
      await run.undo(server, 'acme');
      expect([OLD, NEW]).toContainEqual(content(server, 'acme'));
      if (before) expect(content(server, 'acme')).not.toEqual(before);
      expect(names(server).filter((name) => name.startsWith('acme'))).toHaveLength(2);
      expect(server.model.find('acme')).toMatchObject({ access: 'MULTI_USER', properties: {} });
    }
    expect(cuts).toBeGreaterThan(whole ? 10 : 3);
  });

  test('a dump', async () => {
    await fresh(rds);
    let cuts = 0;
    for (let n = 1; ; n += step()) {
      const wasCut = cutAt(n);
      const outcome = await run.dump(server, 'acme').catch((error) => error);
      if (!wasCut()) break;
      cuts += 1;
      if (outcome instanceof Error) expect(outcome).toMatchObject({ exitCode: 3 });
      if (cuts % 3 !== 0) continue;
      await run.dump(server, 'acme');
      expect(await staged(moto())).toEqual([]);
    }
    expect(cuts).toBeGreaterThan(whole ? 10 : 3);
    expect(names(server)).toEqual(['acme', 'other']);
  });
});
