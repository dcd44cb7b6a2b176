// A MariaDB or MySQL server for one test file: `const server = useMariadb();` at its top, then `server().url`.
import { type MariadbOptions, type MariadbServer, startMariadb } from '../../scripts/mariadb-server.mts';

export { type MariadbServer, startMariadb } from '../../scripts/mariadb-server.mts';

/** Starts a server before the file's tests and stops it after them. A missing MariaDB fails them. */
export function useMariadb(options: MariadbOptions = {}): () => MariadbServer {
  let server: MariadbServer | undefined;
  beforeAll(async () => {
    server = await startMariadb(options);
  });
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (!server) throw new Error('the MariaDB server is there only while tests run');
    return server;
  };
}
