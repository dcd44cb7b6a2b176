import { InputError } from '../errors.js';
import type { Engine } from './engine.js';
import { mariadb } from './mariadb.js';
import { postgresql } from './postgresql.js';
import type { ServerAddress } from './server.js';
import { sqlserver } from './sqlserver.js';

const engines: readonly Engine[] = [postgresql, mariadb, sqlserver];

/** The engine that the server's URL scheme means. */
export function engineFor(server: ServerAddress): Engine {
  const engine = engines.find(({ schemes }) => schemes.includes(server.scheme));
  if (engine) return engine;
  const known = engines.flatMap(({ schemes }) => schemes.map((scheme) => `${scheme}://`)).join(', ');
  throw new InputError(`the server URL begins with ${server.scheme}://; known are ${known}`);
}
