// The process killed at random moments of dump, restore, swap and undo, and of dumps and loads by several sessions:
// afterwards the live database is the old or the new one, whole, no list shows half an archive, no client tool and no
// temporary file is left, and the next run cleans up and succeeds.
// SOVEREIGN_KILLS=200 kills more often; SOVEREIGN_SEED repeats a run.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ran } from '../support/cli';
import { liveState } from '../support/live-state';
import { usePostgres } from '../support/postgres';
import { amount, seeded, seedOf } from '../support/random';
import { type Workspace, workspace } from '../support/tenants';

const server = usePostgres();
const random = seeded(seedOf('kills'));
let work: Workspace;
let temporary: string;
/** The two states in which each live database may be. */
const states: Record<string, string[]> = {};

beforeAll(async () => {
  work = await workspace(server);
  temporary = join(work.folder, 'temporary');
  mkdirSync(temporary);
  await server().query('create database acme');
  await server().query(
    `create table t as select n, repeat(md5(n::text), 20) as text from generate_series(1, 20000) n;
     alter table t add primary key (n); create index on t (text)`,
    undefined,
    'acme',
  );
  // For several sessions: tables and indexes of different sizes, with foreign keys, which come last.
  await server().query('create database wide');
  await server().query(
    [1, 2, 3, 4, 5, 6]
      .map(
        (i) =>
          `create table t${i} as select n, repeat(md5((n * ${i})::text), 8) as text from generate_series(1, ${i * 2000}) n;
           alter table t${i} add primary key (n); create index on t${i} (text);
           ${i > 1 ? `alter table t${i - 1} add foreign key (n) references t${i}` : ''}`,
      )
      .join(';'),
    undefined,
    'wide',
  );
  for (const [tenant, damage] of [
    ['acme', 'delete from t where n % 2 = 0'],
    ['wide', 'delete from t1 where n % 2 = 0; drop table t2 cascade'],
  ] as const) {
    expect(await work.dump(tenant)).toMatchObject({ code: 0 });
    const archived = await state(tenant);
    // So that there is something to undo.
    expect(await work.restore(tenant)).toMatchObject({ code: 0 });
    await server().query(damage, undefined, tenant);
    states[tenant] = [archived, await state(tenant)];
  }
});
afterAll(() => work?.remove());

const state = (tenant: string) => liveState(server(), tenant, tenant === 'wide' ? 'all' : 't');

const names = async (like: string) =>
  (
    await server().query<{ n: string }>('select datname as n from pg_database where datname like $1', [like])
  ).map(({ n }) => n);
const listed = async (tenant: string) =>
  (await work.list([tenant])).json<{ at: string; archive: string }[]>();
const filesLike = (shape: RegExp) =>
  (readdirSync(work.store, { recursive: true }) as string[]).filter((name) => shape.test(name));

/** Client tools of ours that still run against this server. */
function tools(): string[] {
  const all = execFileSync('ps', ['-axo', 'args'], { encoding: 'utf8', maxBuffer: 1 << 26 }).split('\n');
  return all.filter((line) => /^\S*pg_(dump|restore)/.test(line) && line.includes(`port='${server().port}'`));
}

/** What nothing of may be left once a run has ended well after one that was killed. */
async function clean(tenant: string): Promise<void> {
  expect(await names(`${tenant}\\_\\_restore%`)).toEqual([]);
  for (let tries = 0; readdirSync(temporary).length > 0 && tries < 100; tries += 1) await sleep(100);
  expect(readdirSync(temporary)).toEqual([]);
  for (let tries = 0; tools().length > 0 && tries < 100; tries += 1) await sleep(100);
  expect(tools()).toEqual([]);
}

/** Old copies, of which a few dozen restores would make a few dozen. */
async function dropKept(tenant: string): Promise<void> {
  for (const name of (await names(`${tenant}\\_\\_undo%`)).sort().slice(0, -1))
    await server().query(`drop database "${name}" with (force)`);
}

interface Phase {
  /** @default acme */
  readonly tenant?: string;
  readonly run: (started?: (child: ChildProcess) => void) => Promise<Ran>;
  /** The words on standard error with which the phase begins. @default - the start of the process */
  readonly from?: string;
}

const env = () => ({ env: { TMPDIR: temporary } });
const several = ['--jobs', '3'];
const phases: Record<string, Phase> = {
  dump: { run: (started) => work.dump('acme', [], { ...env(), started }) },
  restore: { run: (started) => work.restore('acme', [], { ...env(), started }) },
  swap: { run: (started) => work.restore('acme', [], { ...env(), started }), from: 'the copy is good' },
  undo: { run: (started) => work.undo('acme', [], { ...env(), started }), from: 'putting back' },
  // Of the dump of one session, by way of a file without a name.
  'load by several sessions': {
    tenant: 'wide',
    run: (started) => work.restore('wide', several, { ...env(), started }),
    from: 'restoring into',
  },
  'dump by several sessions': {
    tenant: 'wide',
    run: (started) => work.dump('wide', several, { ...env(), started }),
  },
  // The newest archive is one of theirs now, which lies unpacked in a folder while it is loaded.
  'load by several sessions of what several dumped': {
    tenant: 'wide',
    run: (started) => work.restore('wide', several, { ...env(), started }),
    from: 'restoring into',
  },
};
const kills = Math.ceil(amount('SOVEREIGN_KILLS', 56) / Object.keys(phases).length);
const patience = 120_000 + kills * 5_000;

/** Calls back when the phase begins. */
function whenBegun({ from }: Phase, child: ChildProcess, begun: () => void): void {
  if (from === undefined) {
    begun();
    return;
  }
  let said = '';
  child.stderr!.on('data', (text) => {
    const before = said.includes(from);
    said += text;
    if (!before && said.includes(from)) begun();
  });
}

/** How long the phase takes undisturbed, of which the random moments are shares. */
async function duration(phase: Phase): Promise<number> {
  let began = 0;
  const ran = await phase.run((child) => whenBegun(phase, child, () => (began = performance.now())));
  expect(ran).toMatchObject({ code: 0 });
  expect(began).toBeGreaterThan(0);
  return performance.now() - began;
}

/** Kills a run at a random moment of the phase; whether it was still running then. */
async function killed(phase: Phase, whole: number): Promise<boolean> {
  // The first quarter of a process is Node's own start.
  const share = phase.from === undefined ? 0.25 + 0.8 * random() : random();
  const { signal } = await phase.run((child) =>
    whenBegun(phase, child, () => setTimeout(() => child.kill('SIGKILL'), share * whole)),
  );
  return signal === 'SIGKILL';
}

test.each(Object.keys(phases))(
  'killed at random moments of %s',
  async (name) => {
    const phase = phases[name]!;
    const { tenant = 'acme' } = phase;
    let whole = await duration(phase);
    const proved = new Set<string>();
    let hits = 0;
    let checked = 0;
    for (let round = 1; hits < kills && round <= 4 * kills; round += 1) {
      if (await killed(phase, whole)) hits += 1;
      // It was faster than measured: kills that come too late prove nothing.
      else whole *= 0.8;
      expect(states[tenant]).toContain(await state(tenant));
      if (hits < checked + 7 && hits < kills) continue;
      checked = hits;
      const archives = await listed(tenant);
      const before = archives.length;
      // What has a manifest is whole, killed or not; each is proved once.
      for (const { at, archive } of archives.filter((each) => !proved.has(each.archive))) {
        const proof = await work.verify(tenant, ['--at', at]);
        expect(proof.json()).toEqual({ ok: true, archive, problems: [] });
        proved.add(archive);
      }
      expect(await phase.run()).toMatchObject({ code: 0 });
      expect(states[tenant]).toContain(await state(tenant));
      expect(await listed(tenant)).toHaveLength(before + (name.startsWith('dump') ? 1 : 0));
      expect(filesLike(/\.partial$/)).toEqual([]);
      await clean(tenant);
      await dropKept(tenant);
    }
    process.stderr.write(`${name}: ${hits} killed, the last within ${Math.round(whole)} ms\n`);
    expect(hits).toBe(kills);
  },
  patience,
);
