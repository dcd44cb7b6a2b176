// Programs of another Debian or Ubuntu release: its packages, unpacked into a folder and run from there. Nothing is
// installed. Needs root, debootstrap, and a processor of the amd64 kind.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ReleasePackages {
  /** Where to unpack them. */
  readonly folder: string;
  /** Debian has no keyring of Ubuntu's: there the signatures of Ubuntu's packages are not checked, which is said. */
  readonly distribution: 'debian' | 'ubuntu';
  /** `trixie`, `jammy`. */
  readonly suite: string;
  /** Packages; what they need comes, too. */
  readonly packages: readonly string[];
}

const DEBOOTSTRAP = '/usr/share/debootstrap';
/** The script that those of all releases of a distribution are links to. */
const SCRIPT = { debian: 'sid', ubuntu: 'gutsy' } as const;
const UBUNTU_KEYRING = '/usr/share/keyrings/ubuntu-archive-keyring.gpg';

/** Fetches and unpacks them; what was in the folder goes. */
export function unpackPackages({ folder, distribution, suite, packages }: ReleasePackages): void {
  rmSync(folder, { recursive: true, force: true });
  const ubuntu = distribution === 'ubuntu';
  // It takes a package from the first suite that has it.
  const first = ubuntu ? `${suite}-updates` : suite;
  const unchecked = ubuntu && !existsSync(UBUNTU_KEYRING);
  if (unchecked)
    process.stderr.write(`signatures of ${suite} are not checked: ${UBUNTU_KEYRING} is missing here\n`);
  const known = mkdtempSync(join(tmpdir(), 'debootstrap-'));
  try {
    cpSync(DEBOOTSTRAP, known, { recursive: true, verbatimSymlinks: true });
    // An older debootstrap does not know newer releases by name.
    if (!existsSync(join(known, 'scripts', first)))
      symlinkSync(SCRIPT[distribution], join(known, 'scripts', first));
    const args = [
      ...['--download-only', '--variant=minbase', `--include=${packages.join(',')}`],
      ...(ubuntu ? ['--components=main,universe', `--extra-suites=${suite}`] : []),
      ...(unchecked ? ['--no-check-gpg'] : []),
    ];
    must('debootstrap', [...args, first, folder], { DEBOOTSTRAP_DIR: known });
    const unpack =
      'cd "$1" && for deb in var/cache/apt/archives/*.deb; do dpkg-deb -x "$deb" . || exit 1; done';
    must('sh', ['-c', unpack, 'sh', folder]);
    rmSync(join(folder, 'var'), { recursive: true, force: true });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(known, { recursive: true, force: true });
  }
}

function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (result.status === 0) return;
  const said = `${result.error?.message ?? ''}${result.stdout ?? ''}${result.stderr ?? ''}`;
  throw new Error(`${command} failed:\n  ${said.trimEnd().split('\n').slice(-5).join('\n  ')}`);
}

/** These programs need the libraries that they were unpacked with: each of a folder starts through their own loader. */
export function wrapPrograms(folder: string, bin: string): void {
  const libraries = ['usr/lib', 'lib'].map((part) => join(folder, part, 'x86_64-linux-gnu')).join(':');
  // Not that of lib64, which may be a link to the machine's own.
  const loader = ['usr/lib', 'lib']
    .map((part) => join(folder, part, 'x86_64-linux-gnu/ld-linux-x86-64.so.2'))
    .find(existsSync);
  if (loader === undefined) throw new Error(`${folder} has no loader of programs`);
  for (const entry of readdirSync(bin, { withFileTypes: true })) {
    const program = join(bin, entry.name);
    if (!entry.isFile() || entry.name.endsWith('.real') || !isProgram(program)) continue;
    const real = `${program}.real`;
    renameSync(program, real);
    const start = `exec '${loader}' --library-path '${libraries}' --argv0 '${program}' '${real}' "$@"`;
    writeFileSync(program, `#!/bin/sh\n${start}\n`);
    chmodSync(program, 0o755);
  }
}

/** Scripts run as they are. */
function isProgram(path: string): boolean {
  return readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF';
}
