import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { InputError } from '../../lib/residency/input.js';
import { type AuditPolicy, DEFAULT_POLICY } from '../../lib/residency/policy.js';
import { policyOf, policyProblems } from '../../lib/residency/policy-problems.js';
import { isObject } from '../../lib/residency/resolve/stack.js';

export interface PolicyFile {
  readonly policy: AuditPolicy;
  /** Null where no file was given. */
  readonly file: { readonly path: string; readonly sha256: string } | null;
}

const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads a policy, YAML or JSON (which is YAML too).
 *
 * @throws InputError with everything that is wrong, one line each
 */
export function readPolicyFile(path: string | undefined): PolicyFile {
  if (path === undefined) return { policy: DEFAULT_POLICY, file: null };
  const bytes = bytesOf(path);
  const lines = new LineCounter();
  const document = parseDocument(textOf(bytes, path), {
    lineCounter: lines,
    uniqueKeys: true,
    logLevel: 'error',
  });
  const lineOf = (position: number) => lines.linePos(position).line;
  if (document.errors.length > 0) {
    const messages = document.errors.map(
      (error) =>
        `${path}:${lineOf(error.pos[0])}: ${error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '')}`,
    );
    throw new InputError(messages.join('\n'));
  }
  const value = plainValue(document, path);
  const problems = policyProblems(value);
  if (problems.length > 0) {
    const messages = problems.map(({ at, message }) => {
      const where = positionOf(document, at);
      return `${path}:${where === undefined ? 1 : lineOf(where)}: ${at.length > 0 ? `${at.join('.')}: ` : ''}${message}`;
    });
    throw new InputError(messages.join('\n'));
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { policy: policyOf(isObject(value) ? value : {}), file: { path, sha256 } };
}

function bytesOf(path: string): Uint8Array {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > MAX_BYTES)
      throw new InputError(`--policy ${path}: is larger than any policy (${MAX_BYTES} bytes)`);
    return bytes;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const why =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `cannot be read (${code})`;
    throw new InputError(`--policy ${path}: ${why}`);
  }
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`--policy ${path}: is not UTF-8 text`);
  }
}

function plainValue(document: ReturnType<typeof parseDocument>, path: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new InputError(`--policy ${path}: ${(error as Error).message}`);
  }
}

/** Where a value stands in the text; of what is missing, where the thing stands that lacks it. */
function positionOf(
  document: ReturnType<typeof parseDocument>,
  at: readonly (string | number)[],
): number | undefined {
  for (let length = at.length; length >= 0; length--) {
    const node = document.getIn(at.slice(0, length), true) as { range?: readonly number[] } | undefined;
    const start = node?.range?.[0];
    if (start !== undefined) return start;
  }
  return undefined;
}
