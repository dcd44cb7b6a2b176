import { createHash } from 'node:crypto';
import { InputError, type TemplateDocument } from '../input';
import { isObject, own, type PlainObject } from '../resolve/stack';
import { budgetFor, checkSize } from './budget';
import { parseJson } from './json';
import { type Prepared, prepare } from './prepare';

/** Far above the 1 MB that CloudFormation takes: what is larger is no template. */
export const MAX_BYTES = 64 * 1024 * 1024;

/** A reader of YAML: the library itself has none, so that it needs no dependency. */
export type YamlReader = (text: string, path: string, isTemplate: (document: unknown) => boolean) => unknown;

export interface ReadTemplate extends Prepared {
  readonly sha256: string;
}

/** Somebody's file that is fine, and no template. */
export class NotATemplate extends InputError {}

/**
 * Reads the bytes of a template.
 *
 * @throws NotATemplate for another kind of file
 * @throws InputError for a template that is broken, with file and line
 */
export function readTemplate(
  bytes: Uint8Array,
  path: string,
  parameters: Readonly<Record<string, string>>,
  yaml: YamlReader | undefined,
): ReadTemplate {
  const text = textOf(bytes, path);
  const { document, mayShare } = parse(text, path, yaml);
  if (mayShare) checkSize(document, path, budgetFor(text.length));
  if (!isTemplate(document)) {
    throw new NotATemplate(
      `${path}: is no CloudFormation template: ${whatItIs(document)}, not an object with Resources or AWSTemplateFormatVersion`,
    );
  }
  checkResources(document, path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const prepared = prepare(document, path, parameters, text.length);
  // What the YAML reader gives are slices that keep the whole text in memory; a copy does not.
  const kept = mayShare
    ? (JSON.parse(JSON.stringify(prepared.document)) as TemplateDocument)
    : prepared.document;
  return { ...prepared, document: kept, sha256 };
}

/** True for what has the outer shape of a CloudFormation template. */
export function isTemplate(document: unknown): document is TemplateDocument {
  if (!isObject(document)) return false;
  if (own(document, 'AWSTemplateFormatVersion') !== undefined) return true;
  const resources = own(document, 'Resources');
  if (!isObject(resources)) return false;
  const declared = Object.values(resources);
  return (
    declared.length === 0 || declared.some((one) => isObject(one) && typeof own(one, 'Type') === 'string')
  );
}

function textOf(bytes: Uint8Array, path: string): string {
  if (bytes.length > MAX_BYTES) {
    throw new InputError(`${path}: is ${bytes.length} bytes long; no template is longer than ${MAX_BYTES}`);
  }
  if (bytes.includes(0)) throw new NotATemplate(`${path}: is a binary file, not the text of a template`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NotATemplate(`${path}: is not UTF-8 text`);
  }
}

/** `mayShare`: one object may stand in several places. */
function parse(
  text: string,
  path: string,
  yaml: YamlReader | undefined,
): { readonly document: unknown; readonly mayShare: boolean } {
  if (text.trim() === '') throw new NotATemplate(`${path}: is empty`);
  const mayBeJson = /^\s*[[{]/.test(text);
  if (mayBeJson || yaml === undefined) {
    const read = parseJson(text);
    if ('value' in read) return { document: read.value, mayShare: false };
    // A YAML file may begin with a brace too.
    const isJson =
      yaml === undefined || !/\.ya?ml$/i.test(path) || read.problem.message.startsWith('has the key');
    if (isJson) throw new InputError(`${path}:${read.problem.line}: ${read.problem.message}`);
  }
  return { document: yaml!(text, path, isTemplate), mayShare: true };
}

function whatItIs(document: unknown): string {
  if (Array.isArray(document)) return 'it is a list';
  if (!isObject(document))
    return `it is ${document === null || document === undefined ? 'empty' : 'plain text'}`;
  const keys = Object.keys(document);
  return keys.length === 0
    ? 'it is empty'
    : `it has ${keys.slice(0, 5).join(', ')}${keys.length > 5 ? ', ...' : ''}`;
}

/** What is declared as a resource and is none would be left out silently. */
function checkResources(document: PlainObject, path: string): void {
  const resources = own(document, 'Resources');
  if (resources === undefined || resources === null) return;
  if (!isObject(resources)) throw new InputError(`${path}: Resources must be an object of resources`);
  for (const logicalId of Object.keys(resources)) {
    if (logicalId.startsWith('Fn::')) continue;
    const resource = resources[logicalId];
    if (!isObject(resource)) {
      throw new InputError(`${path}: the resource ${logicalId} must be an object with a Type`);
    }
    if (typeof own(resource, 'Type') !== 'string') {
      throw new InputError(
        `${path}: the resource ${logicalId} has no Type, so CloudFormation refuses the template`,
      );
    }
  }
}
