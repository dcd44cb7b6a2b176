// A machine that is gone closes no connection: whoever waits for its answer must ask by himself whether it is there.
import * as mariadb from '../../lambda/engine/mariadb/connect';
import * as postgresql from '../../lambda/engine/postgresql/connect';
import { parseServer } from '../../lambda/engine/server';
import { probesIn, soon } from '../support/keep-alive';
import { useMariadb } from '../support/mariadb';
import { usePostgres } from '../support/postgres';

const postgres = usePostgres();
const maria = useMariadb();

test('a session of PostgreSQL asks after half a minute', async () => {
  const address = postgresql.addressOf(parseServer(`postgres://postgres@127.0.0.1:${postgres().port}`));
  const client = await postgresql.connect(address, 'postgres');
  const { rows } = await client.query<{ port: number }>('select inet_client_port() as port');
  await expect(soon(() => probesIn(rows[0]!.port))).resolves.toBeLessThanOrEqual(30);
  await client.end();
});

test('a session of MariaDB does, too', async () => {
  const client = await mariadb.connect(mariadb.addressOf(parseServer(maria().url)));
  const [row] = await mariadb.rows<{ host: string }>(
    client,
    'select host from information_schema.processlist where id = connection_id()',
  );
  const port = Number(row!.host.split(':')[1]);
  await expect(soon(() => probesIn(port))).resolves.toBeLessThanOrEqual(30);
  await client.end();
});
