import { delimiter, join } from 'node:path';

/** npm runs with the Node that it came with: Debian's gets no package with the newer one of node_modules. */
export const npmEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: (process.env.PATH ?? '')
    .split(delimiter)
    .filter((path) => !path.endsWith(join('node_modules', '.bin')))
    .join(delimiter),
};
