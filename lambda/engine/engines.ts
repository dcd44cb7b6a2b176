import { InputError } from '../errors.js';
import type { Engine } from './engine.js';
import type { ServerAddress } from './server.js';

/** The URL schemes that mean an engine; its code and its driver are loaded only when it is asked for. */
const engines: readonly { readonly schemes: readonly string[]; load(): Promise<Engine> }[] = [
  { schemes: ['postgres', 'postgresql'], load: async () => (await import('./postgresql.js')).postgresql },
  { schemes: ['mysql', 'mariadb'], load: async () => (await import('./mariadb.js')).mariadb },
  { schemes: ['sqlserver', 'mssql'], load: async () => (await import('./sqlserver.js')).sqlserver },
];

/** The engine that the server's URL scheme means. */
export async function engineFor(server: ServerAddress): Promise<Engine> {
  const engine = engines.find(({ schemes }) => schemes.includes(server.scheme));
  if (engine) return engine.load();
  const known = engines.flatMap(({ schemes }) => schemes.map((scheme) => `${scheme}://`)).join(', ');
  throw new InputError(`the server URL begins with ${server.scheme}://; known are ${known}`);
}
