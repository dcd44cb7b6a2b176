/** Reads what the user named: a template, a folder of them, a cloud assembly, standard input. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { InputError, type TemplateInput } from '../input';
import type { Finding } from '../model';
import { isObject, NESTED_STACKS, own, section } from '../resolve/stack';
import { assemblyStacks, isAssembly } from './assembly';
import { assetFile } from './asset-manifest';
import { NotATemplate, type ReadTemplate, readTemplate, type YamlReader } from './template';

export interface LoadOptions {
  /** Environment of templates that have none of their own. */
  readonly region: string | null;
  readonly account: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  /** Without it only JSON can be read. */
  readonly yaml?: YamlReader;
  readonly stdin?: () => Uint8Array;
}

export interface Loaded {
  readonly inputs: readonly TemplateInput[];
  /** What was passed over, as findings. */
  readonly notes: readonly Finding[];
}

/** A template file before it is known where it is deployed and which nested ones it holds. */
interface File {
  /** As findings name it. */
  readonly path: string;
  /** Absolute; undefined for standard input. */
  readonly file: string | undefined;
  readonly read: ReadTemplate;
}

/** A nested template deeper than this refers to itself. */
const MAX_NESTING = 30;
const TEMPLATE_FILE = /\.(json|ya?ml|template)$/i;
const SKIPPED_FOLDERS = new Set(['node_modules', '.git']);

/**
 * @throws InputError for a path that does not exist or holds no template, and for every template that is broken
 */
export function load(paths: readonly string[], options: LoadOptions): Loaded {
  const loader = new Loader(options, paths.length > 1);
  for (const path of paths) loader.add(path);
  return loader.finish();
}

class Loader {
  private readonly inputs: TemplateInput[] = [];
  private readonly notes: Finding[] = [];
  /** Every template that was read, by absolute path: a nested one may be shared. */
  private readonly files = new Map<string, File>();
  /** Templates of the folder that are part of others, and so not audited on their own. */
  private readonly nestedFiles = new Set<string>();
  private readonly pending: { readonly file: File; readonly named: boolean }[] = [];

  public constructor(
    private readonly options: LoadOptions,
    private readonly several: boolean,
  ) {}

  public add(path: string): void {
    if (path === '-') {
      const bytes = this.options.stdin?.() ?? new Uint8Array();
      this.pending.push({ file: { path: '-', file: undefined, read: this.parse(bytes, '-') }, named: true });
      return;
    }
    const stats = statOf(path);
    if (stats.isDirectory()) {
      if (isAssembly(path)) this.addAssembly(path, path);
      else this.addFolder(path);
    } else if (basename(path) === 'manifest.json' && isAssembly(dirname(path))) {
      this.addAssembly(dirname(path), dirname(path));
    } else {
      this.pending.push({ file: this.readFile(resolve(path), path), named: true });
    }
  }

  public finish(): Loaded {
    for (const { file } of this.pending) this.markNested(file);
    for (const { file, named } of this.pending) {
      if (!named && file.file !== undefined && this.nestedFiles.has(file.file)) continue;
      this.inputs.push(this.inputOf(file, { stack: null, region: null, account: null }, 0));
    }
    this.checkParameters();
    return { inputs: this.inputs, notes: this.notes };
  }

  private addFolder(folder: string): void {
    const before = this.pending.length + this.inputs.length;
    this.walk(folder, folder);
    if (this.pending.length + this.inputs.length > before) return;
    throw new InputError(`${folder}: holds no CloudFormation template (*.json, *.yaml, *.yml, *.template)`);
  }

  private walk(folder: string, top: string): void {
    for (const entry of listing(folder)) {
      const path = join(folder, entry);
      const stats = statOf(path);
      if (stats.isDirectory()) {
        if (SKIPPED_FOLDERS.has(entry)) continue;
        if (isAssembly(path)) this.addAssembly(path, top);
        else this.walk(path, top);
      } else if (stats.isFile() && TEMPLATE_FILE.test(entry)) this.addFromFolder(path, top);
    }
  }

  /** In a folder other files may lie about; what tries to be a template and is broken is still an error. */
  private addFromFolder(path: string, top: string): void {
    const shown = this.shownPath(path, top);
    try {
      this.pending.push({ file: this.readFile(resolve(path), shown), named: false });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!(error instanceof NotATemplate) && triesToBeTemplate(path)) throw error;
      const message = `${error.message}; the file was not audited.`;
      this.notes.push({
        rule: 'file-not-assessed',
        severity: 'note',
        template: shown,
        logicalId: null,
        message,
      });
    }
  }

  private addAssembly(folder: string, top: string): void {
    for (const stack of assemblyStacks(folder)) {
      const file = this.readFile(stack.templateFile, this.shownPath(stack.templateFile, top));
      const input = this.inputOf(file, stack, 0);
      this.inputs.push({ ...input, parameters: { ...stack.parameters, ...this.options.parameters } });
    }
  }

  /** Relative to the path given, so that the result is the same on every machine. */
  private shownPath(path: string, top: string): string {
    return this.several ? path : relative(resolve(top), resolve(path));
  }

  private readFile(file: string, path: string): File {
    const known = this.files.get(file);
    if (known !== undefined) return known;
    const read = { path, file, read: this.parse(bytesOf(file, path), path) };
    this.files.set(file, read);
    return read;
  }

  private parse(bytes: Uint8Array, path: string): ReadTemplate {
    return readTemplate(bytes, path, this.options.parameters, this.options.yaml);
  }

  private inputOf(
    file: File,
    place: Pick<TemplateInput, 'stack' | 'region' | 'account' | 'constructPaths'>,
    depth: number,
  ): TemplateInput {
    const nested: Record<string, TemplateInput> = {};
    if (depth > MAX_NESTING) {
      throw new InputError(`${file.path}: nested stacks hold each other, more than ${MAX_NESTING} deep`);
    }
    for (const [logicalId, path] of nestedTemplates(file)) {
      const inner = this.nestedFile(path, file);
      if (inner === undefined) continue;
      nested[logicalId] = this.inputOf(inner, { ...place, stack: null }, depth + 1);
    }
    const { read } = file;
    return {
      path: file.path,
      sha256: read.sha256,
      document: read.document,
      facts: read.facts,
      stack: place.stack,
      region: place.region ?? this.options.region,
      account: place.account ?? this.options.account,
      parameters: depth === 0 ? this.options.parameters : undefined,
      constructPaths: place.constructPaths,
      nested,
    };
  }

  private markNested(file: File): void {
    for (const [, path] of nestedTemplates(file)) this.nestedFiles.add(path);
  }

  /** A nested template that is not there is a finding of the audit, not an error. */
  private nestedFile(path: string, holder: File): File | undefined {
    const known = this.files.get(path);
    if (known !== undefined) return known;
    try {
      if (!statSync(path).isFile()) return undefined;
    } catch {
      return undefined;
    }
    const shown = isAbsolute(holder.path)
      ? path
      : join(dirname(holder.path), relative(dirname(holder.file!), path));
    return this.readFile(path, shown);
  }

  /** A parameter that no template has is a slip of the pen. */
  private checkParameters(): void {
    const declares = (input: TemplateInput, name: string): boolean =>
      own(section(input.document, 'Parameters'), name) !== undefined;
    for (const name of Object.keys(this.options.parameters)) {
      if (!this.inputs.some((input) => declares(input, name))) {
        throw new InputError(`--param ${name}: no template given has a parameter of that name`);
      }
    }
  }
}

/** Where the templates of nested stacks lie: an asset of the CDK, or a path relative to the template. */
function nestedTemplates(file: File): readonly [string, string][] {
  if (file.file === undefined) return [];
  const folder = dirname(file.file);
  const resources = section(file.read.document, 'Resources');
  return Object.keys(resources).flatMap((logicalId): [string, string][] => {
    const resource = resources[logicalId];
    if (!isObject(resource)) return [];
    const type = own(resource, 'Type');
    if (typeof type !== 'string' || !NESTED_STACKS.has(type)) return [];
    const asset = own(section(resource, 'Metadata'), 'aws:asset:path');
    const properties = section(resource, 'Properties');
    const url = own(properties, 'TemplateURL') ?? own(properties, 'Location');
    const inManifest = typeof asset === 'string' ? undefined : assetFile(url, folder);
    if (inManifest !== undefined) return [[logicalId, inManifest]];
    const path = typeof asset === 'string' ? asset : url;
    if (typeof path !== 'string' || /^[a-z0-9+]+:\/\//i.test(path) || isAbsolute(path)) return [];
    return [[logicalId, resolve(folder, path)]];
  });
}

function listing(folder: string): readonly string[] {
  return readdirSync(folder).sort();
}

function statOf(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

function bytesOf(file: string, path: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(`${path}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const code = (error as { code?: string }).code;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read';
  return `cannot be read (${code ?? String(error)})`;
}

function triesToBeTemplate(path: string): boolean {
  const head = readFileSync(path).subarray(0, 1_000_000).toString('latin1');
  return /AWSTemplateFormatVersion|^\s*["']?Resources["']?\s*:/m.test(head);
}
