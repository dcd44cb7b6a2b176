/** The stacks of a cloud assembly (`cdk.out`), by its manifest; stages are assemblies within it. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InputError } from '../input';
import { isObject, own, type PlainObject, scalar, section } from '../resolve/stack';
import { parseJson } from './json';

export interface AssemblyStack {
  /** Absolute. */
  readonly templateFile: string;
  readonly stack: string | null;
  readonly region: string | null;
  readonly account: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly constructPaths: Readonly<Record<string, string>>;
}

const MANIFEST = 'manifest.json';
const MAX_STAGES = 20;

/** A folder with a manifest that lists artifacts; other tools have a manifest.json too. */
export function isAssembly(folder: string): boolean {
  const file = join(folder, MANIFEST);
  if (!existsSync(file)) return false;
  const read = parseJson(readFileSync(file, 'utf8'));
  // A manifest that is broken beside templates of the CDK is better reported than passed over.
  if ('problem' in read) return existsSync(join(folder, 'cdk.out')) || existsSync(join(folder, 'tree.json'));
  return (
    isObject(read.value) && isObject(own(read.value, 'artifacts')) && own(read.value, 'version') !== undefined
  );
}

export function assemblyStacks(folder: string, depth = 0): readonly AssemblyStack[] {
  const manifestFile = join(folder, MANIFEST);
  if (depth > MAX_STAGES)
    throw new InputError(`${manifestFile}: stages are nested more than ${MAX_STAGES} deep`);
  const artifacts = section(readObject(manifestFile), 'artifacts');
  const stacks: AssemblyStack[] = [];
  for (const id of Object.keys(artifacts)) {
    const artifact = artifacts[id];
    if (!isObject(artifact)) continue;
    const properties = section(artifact, 'properties');
    if (artifact.type === 'cdk:cloud-assembly') {
      const inner = own(properties, 'directoryName');
      if (typeof inner === 'string') stacks.push(...assemblyStacks(join(folder, inner), depth + 1));
    } else if (artifact.type === 'aws:cloudformation:stack') {
      stacks.push(stackOf(id, artifact, properties, folder));
    }
  }
  return stacks;
}

function stackOf(id: string, artifact: PlainObject, properties: PlainObject, folder: string): AssemblyStack {
  const template = own(properties, 'templateFile');
  if (typeof template !== 'string') {
    throw new InputError(`${join(folder, MANIFEST)}: the stack ${id} names no templateFile`);
  }
  const name = own(properties, 'stackName') ?? id;
  const [account, region] = environmentOf(own(artifact, 'environment'));
  const given = section(properties, 'parameters');
  return {
    templateFile: resolve(folder, template),
    stack: typeof name === 'string' ? name : id,
    region,
    account,
    parameters: Object.fromEntries(Object.keys(given).map((key) => [key, scalar(given[key])])),
    constructPaths: constructPaths(artifact, folder),
  };
}

/** `aws://account/region`, where either may be `unknown-...`. */
function environmentOf(environment: unknown): readonly [string | null, string | null] {
  const match = typeof environment === 'string' ? /^aws:\/\/([^/]+)\/([^/]+)$/.exec(environment) : null;
  if (match === null) return [null, null];
  return [known(match[1]!), known(match[2]!)];
}

const known = (name: string) => (name.startsWith('unknown-') ? null : name);

/** Newer versions of the CDK keep the metadata in a file beside the manifest. */
function constructPaths(artifact: PlainObject, folder: string): Readonly<Record<string, string>> {
  const beside = own(artifact, 'additionalMetadataFile');
  const file = typeof beside === 'string' ? join(folder, beside) : undefined;
  const more = file !== undefined && existsSync(file) ? readObject(file) : {};
  const paths: Record<string, string> = {};
  for (const metadata of [section(artifact, 'metadata'), more]) {
    for (const path of Object.keys(metadata)) {
      const entries = metadata[path];
      if (!Array.isArray(entries)) continue;
      for (const entry of entries) {
        if (isObject(entry) && entry.type === 'aws:cdk:logicalId' && typeof entry.data === 'string') {
          const known = paths[entry.data];
          const construct = path.replace(/^\//, '');
          // Two nested stacks may use the same id: rather none of the two paths than the wrong one.
          paths[entry.data] = known === undefined || known === construct ? construct : '';
        }
      }
    }
  }
  return Object.fromEntries(Object.entries(paths).filter(([, path]) => path !== ''));
}

function readObject(file: string): PlainObject {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new InputError(`${file}: does not exist or may not be read; the cloud assembly is not whole`);
  }
  const read = parseJson(text);
  if ('problem' in read) throw new InputError(`${file}:${read.problem.line}: ${read.problem.message}`);
  if (!isObject(read.value)) throw new InputError(`${file}: is no manifest of a cloud assembly`);
  return read.value;
}
