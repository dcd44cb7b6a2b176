// Gets what the tests, the demo or the benchmark need beyond Node: `node scripts/setup.mts test|demo|bench`.
// Says what it installs and why before it does so. When all is there it says nothing and is done at once.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { installPostgres17, needsPostgres17 } from '../bench/postgres17.mts';
import { findBrowser } from './browser.mts';
import { findMariadb } from './mariadb-server.mts';
import { findPostgres } from './postgres-server.mts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const venv = join(root, '.cache/venv');
const requirements = join(root, 'scripts/requirements.txt');

/** A mistake or a lack that the user can do something about: told without a stack. */
class SetupError extends Error {
  public readonly exitCode: 2 | 3;

  constructor(message: string, exitCode: 2 | 3) {
    super(message);
    this.exitCode = exitCode;
  }
}

interface Need {
  readonly why: string;
  readonly debian: string[];
  readonly ubuntu?: string[];
  readonly brew: string;
  present(): boolean;
}

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const NEEDS: Record<'postgresql' | 'mariadb' | 'python' | 'browser' | 'zstd' | 'debootstrap', Need> = {
  postgresql: {
    why: 'a throwaway PostgreSQL server in a folder of its own, and its clients (pg_dump, pgbench)',
    debian: ['postgresql'],
    brew: 'postgresql@17',
    present: () => findPostgres() !== undefined,
  },
  mariadb: {
    why: 'a throwaway MariaDB server in a folder of its own, and its clients (mariadb-dump); nothing of it is started by itself',
    debian: ['mariadb-server-core', 'mariadb-client'],
    brew: 'mariadb',
    present: () => findMariadb() !== undefined && runs('mariadb-dump', '--version'),
  },
  python: {
    why: 'moto, which stands in for S3, KMS, Secrets Manager and STS, and cfn-lint',
    debian: ['python3', 'python3-venv'],
    brew: 'python@3.13',
    present: () => runs('python3', '-c', 'import venv, ensurepip'),
  },
  browser: {
    why: 'the HTML report is tested in a real browser',
    debian: ['chromium'],
    ubuntu: ['chromium-browser'],
    brew: '--cask chromium',
    present: () => findBrowser() !== undefined,
  },
  zstd: {
    why: 'archives are opened with public tools, and the benchmark needs it where pg_dump cannot compress with zstd itself',
    debian: ['zstd'],
    brew: 'zstd',
    present: () => runs('zstd', '--version'),
  },
  debootstrap: {
    why: 'fetches PostgreSQL 17 into .cache, whose pg_dump compresses with zstd',
    debian: ['debootstrap'],
    brew: 'debootstrap',
    present: () => !wantsPostgres17() || existsSync('/usr/sbin/debootstrap'),
  },
};

/** Only as root, and only for a system whose pg_dump is too old: elsewhere the benchmark does without. */
const wantsPostgres17 = (): boolean =>
  process.platform === 'linux' && process.arch === 'x64' && process.getuid?.() === 0 && needsPostgres17();

const TASKS: Record<string, Need[]> = {
  test: [NEEDS.postgresql, NEEDS.mariadb, NEEDS.zstd, NEEDS.python, NEEDS.browser],
  demo: [NEEDS.postgresql],
  bench: [NEEDS.postgresql, NEEDS.mariadb, NEEDS.zstd, NEEDS.debootstrap],
};

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function distribution(): 'debian' | 'ubuntu' | undefined {
  if (!existsSync('/usr/bin/apt-get')) return undefined;
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID=ubuntu$/m.test(release) ? 'ubuntu' : 'debian';
}

function asRoot(): string[] {
  if (process.getuid?.() === 0) return [];
  if (!runs('sudo', '--version')) {
    throw new SetupError('Installing needs root, and there is no sudo here: run the line above as root.', 2);
  }
  // Without a terminal nobody could type a password: fail instead of waiting for one.
  return process.stdin.isTTY ? ['sudo'] : ['sudo', '-n'];
}

/** Another apt may be at work, on a new machine often the nightly one: wait up to ten minutes for it. */
async function apt(...args: string[]): Promise<void> {
  const prefix = asRoot();
  const command = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q'];
  const [program, ...rest] = [...command, '-o', 'DPkg::Lock::Timeout=600', ...args];
  const deadline = Date.now() + 600_000;
  for (;;) {
    const result = spawnSync(program!, rest, { stdio: ['inherit', 'pipe', 'pipe'], encoding: 'utf8' });
    if (result.status === 0) return;
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`;
    if (/Could not get lock|Unable to lock/.test(output) && Date.now() < deadline) {
      say('  another apt is at work; waiting for it ...');
      await sleep(5000);
      continue;
    }
    const tail = output.trimEnd().split('\n').slice(-15).join('\n  ');
    throw new SetupError(`apt-get ${args[0]} failed (exit code ${result.status}):\n  ${tail}`, 3);
  }
}

async function install(needs: Need[]): Promise<void> {
  const missing = needs.filter((need) => !need.present());
  if (missing.length === 0) return;
  const debianLike = distribution();
  const packagesOf = (need: Need) => (debianLike === 'ubuntu' && need.ubuntu) || need.debian;
  const packages = missing.flatMap(packagesOf);

  if (!debianLike) {
    const mac = process.platform === 'darwin';
    const lines = missing.map(
      (need) => `  ${mac ? `brew install ${need.brew}` : need.debian.join(' ')}  (${need.why})`,
    );
    const how = mac ? 'Install it with Homebrew:' : 'Install what your system calls these Debian packages:';
    throw new SetupError(
      `Something is missing that this set-up cannot install here. ${how}\n${lines.join('\n')}`,
      2,
    );
  }

  say('Missing on this machine, to be installed with apt-get:');
  for (const need of missing) say(`  ${packagesOf(need).join(' ')}: ${need.why}`);
  say(`  (apt-get update && apt-get install --no-install-recommends ${packages.join(' ')})`);
  const started = Date.now();
  await apt('update');
  await apt('install', '-y', '--no-install-recommends', ...packages);
  const still = missing.filter((need) => !need.present());
  if (still.length > 0) {
    throw new SetupError(
      `apt-get succeeded, but this is still not found: ${still.flatMap(packagesOf).join(' ')}.`,
      3,
    );
  }
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`);
}

/** A Python environment of the project's own: nothing is installed into the system's. */
function installPython(): void {
  const stamp = join(venv, 'installed.txt');
  const wanted = readFileSync(requirements, 'utf8');
  const current = existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
  // An environment that was moved, or whose Python is gone, starts no longer.
  if (current && runs(join(venv, 'bin/moto_server'), '--help')) return;
  say(`Installing ${wanted.trim().replaceAll('\n', ' and ')} into .cache/venv ...`);
  rmSync(venv, { recursive: true, force: true });
  mkdirSync(dirname(venv), { recursive: true });
  const steps = [
    ['python3', '-m', 'venv', venv],
    [join(venv, 'bin/pip'), 'install', '--quiet', '--disable-pip-version-check', '-r', requirements],
  ];
  for (const [command, ...args] of steps) {
    const result = spawnSync(command!, args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
    if (result.status === 0) continue;
    const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error ?? ''}`.trimEnd();
    const tail = output.split('\n').slice(-15).join('\n  ');
    throw new SetupError(`${[command, ...args].join(' ')} failed:\n  ${tail}`, 3);
  }
  writeFileSync(stamp, wanted);
}

/** The benchmark runs without it, against another yardstick, and says so. */
function installNewerPostgres(): void {
  if (!wantsPostgres17()) return;
  say('Unpacking PostgreSQL 17 into .cache/postgres17 for the benchmark ...');
  try {
    installPostgres17();
  } catch (error) {
    say(`setup: ${error instanceof Error ? error.message : error}`);
    say('  The benchmark compares with `pg_dump -Fc -Z0 | zstd` instead.');
  }
}

const task = process.argv[2] ?? '';
try {
  const needs = Object.hasOwn(TASKS, task) ? TASKS[task] : undefined;
  if (!needs) throw new SetupError(`usage: node scripts/setup.mts ${Object.keys(TASKS).join('|')}`, 2);
  await install(needs);
  if (needs.includes(NEEDS.python)) installPython();
  if (task === 'bench') installNewerPostgres();
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(`setup: ${error.message}`);
  process.exitCode = error.exitCode;
}
