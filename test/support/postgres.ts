// A PostgreSQL server for one test file: `const server = usePostgres();` at its top, then `server().url`.
import { type PostgresOptions, type PostgresServer, startPostgres } from '../../scripts/postgres-server.mts';

export { findPostgres, type PostgresServer, startPostgres } from '../../scripts/postgres-server.mts';

/** Starts a server before the file's tests and stops it after them. A missing PostgreSQL fails them. */
export function usePostgres(options: PostgresOptions = {}): () => PostgresServer {
  let server: PostgresServer | undefined;
  beforeAll(async () => {
    server = await startPostgres(options);
  });
  afterAll(async () => {
    await server?.stop();
  });
  return () => {
    if (!server) throw new Error('the PostgreSQL server is there only while tests run');
    return server;
  };
}
