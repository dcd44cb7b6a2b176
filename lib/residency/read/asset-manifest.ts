import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isObject, own, section } from '../resolve/stack';
import { parseJson } from './json';

/**
 * The file that a URL of the CDK's asset bucket will hold, by the asset manifests beside the template. Only the command
 * line of the CDK writes the path of a nested template into the template that holds it; the manifests always name it.
 */
export function assetFile(url: unknown, folder: string): string | undefined {
  const [, id] = /\b([0-9a-f]{64})\.(?:json|ya?ml|template)\b/.exec(JSON.stringify(url) ?? '') ?? [];
  if (id === undefined) return undefined;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.assets.json')) continue;
    const read = parseJson(readFileSync(join(folder, name), 'utf8'));
    if ('problem' in read || !isObject(read.value)) continue;
    const path = own(section(section(section(read.value, 'files'), id), 'source'), 'path');
    if (typeof path === 'string') return resolve(folder, path);
  }
  return undefined;
}
