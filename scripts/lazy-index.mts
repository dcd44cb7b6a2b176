// Rewrites the index that the compiler wrote so that a part of the library is loaded when something of it is used first,
// as aws-cdk-lib does: an app without tenants needs neither their constructs nor those of AWS that they are made of.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

export function makeIndexLazy(file: string): void {
  const index = resolve(file);
  const require = createRequire(index);
  const parts = [
    ...readFileSync(index, 'utf8').matchAll(/^__exportStar\(require\("(.+)"\), exports\);$/gm),
  ].map(([, path]) => ({ path: path!, names: Object.keys(require(path!)) }));
  if (parts.length === 0)
    throw new Error(`${file} exports no parts: does the compiler write it otherwise now?`);
  const all = parts.flatMap(({ names }) => names);
  const twice = all.filter((name, at) => all.indexOf(name) !== at);
  if (twice.length > 0) throw new Error(`${file}: several parts export ${twice.join(', ')}`);
  writeFileSync(
    index,
    `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
function lazily(load, names) {
  for (const name of names) {
    Object.defineProperty(exports, name, { enumerable: true, get: () => load()[name] });
  }
}
${parts.map(({ path, names }) => `lazily(() => require(${JSON.stringify(path)}), ${JSON.stringify(names)});`).join('\n')}
// Never run: Node reads from it which names an ECMAScript module can import.
0 && (module.exports = { ${all.join(', ')} });
`,
  );
}
