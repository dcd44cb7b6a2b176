import { InputError } from '../errors.js';
import type { Engine } from './engine.js';
import type { ServerAddress } from './server.js';

/** The URL schemes that mean an engine; its code and its driver are loaded only when it is asked for. */
const engines: readonly {
  readonly schemes: readonly string[];
  /** Where such servers listen unless the URL says otherwise. */
  readonly port: number;
  load(): Promise<Engine>;
}[] = [
  {
    schemes: ['postgres', 'postgresql'],
    port: 5432,
    load: async () => (await import('./postgresql.js')).postgresql,
  },
  { schemes: ['mysql', 'mariadb'], port: 3306, load: async () => (await import('./mariadb.js')).mariadb },
  {
    schemes: ['sqlserver', 'mssql'],
    port: 1433,
    load: async () => (await import('./sqlserver.js')).sqlserver,
  },
];

/** The engine that the server's URL scheme means. */
export async function engineFor(server: ServerAddress): Promise<Engine> {
  return known(server).load();
}

/** Where such a server listens where its URL names no port. */
export function defaultPort(server: ServerAddress): number {
  return known(server).port;
}

function known(server: ServerAddress) {
  const engine = engines.find(({ schemes }) => schemes.includes(server.scheme));
  if (engine) return engine;
  const schemes = engines.flatMap(({ schemes }) => schemes.map((scheme) => `${scheme}://`)).join(', ');
  throw new InputError(`the server URL begins with ${server.scheme}://; known are ${schemes}`);
}
