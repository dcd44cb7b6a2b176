import { StatementCharset } from '../../lambda/engine/mariadb/charset';
import { createHead } from '../../lambda/engine/mariadb/head';

const bytes = (text: string) => Buffer.from(text).toString('latin1');
/** As a client that sends `latin1` writes it. */
const latin1 = (text: string) => text;

/** A statement of a dump, after what the tools write before it. */
function read(mariadb: boolean, sql: string) {
  const charset = new StatementCharset(mariadb);
  charset.hear('/*!50003 SET character_set_client  = latin1 */ ');
  const unmixed = charset.unmixed(sql);
  return {
    name: createHead(sql, charset.named)?.name,
    text: unmixed === undefined ? undefined : Buffer.from(unmixed, 'latin1').toString('utf8'),
  };
}

// What mysqldump 9.7.4 wrote: names, a trigger's table and comments in UTF-8, all else in the client's character set.
test.each([
  [
    'trigger',
    `${bytes('CREATE TRIGGER `trö` BEFORE INSERT ON `tä`')} FOR EACH ROW set new.${latin1("`cö` = 'bä'")}`,
    'trö',
    "CREATE TRIGGER `trö` BEFORE INSERT ON `tä` FOR EACH ROW set new.`cö` = 'bä'",
  ],
  [
    'function',
    `${bytes('CREATE FUNCTION `fä`')}${latin1('(`pü` int)')} RETURNS int ${bytes("COMMENT 'ß'")} return ${latin1('`pü`')}`,
    'fä',
    "CREATE FUNCTION `fä`(`pü` int) RETURNS int COMMENT 'ß' return `pü`",
  ],
  [
    'event',
    `${bytes('CREATE EVENT `ë`')} ON SCHEDULE EVERY 1 DAY ${bytes("COMMENT 'ï'")} DO set @a = ${latin1("'ä'")}`,
    'ë',
    "CREATE EVENT `ë` ON SCHEDULE EVERY 1 DAY COMMENT 'ï' DO set @a = 'ä'",
  ],
])('a %s of MySQL becomes one character set', (_kind, sql, name, text) => {
  expect(read(false, sql)).toEqual({ name, text });
});

test('a trigger of MariaDB is all in the character set of its client, and stays so', () => {
  const sql = latin1("CREATE TRIGGER `trö` BEFORE INSERT ON `tä` FOR EACH ROW set new.`cö` = 'bä'");
  expect(read(true, sql)).toEqual({ name: 'trö', text: undefined });
});

test('only the comment of a function of MariaDB is in UTF-8', () => {
  const sql = `${latin1('CREATE FUNCTION `fä`(`pü` int)')} RETURNS int ${bytes("COMMENT 'ß'")} return 1`;
  expect(read(true, sql)).toEqual({
    name: 'fä',
    text: "CREATE FUNCTION `fä`(`pü` int) RETURNS int COMMENT 'ß' return 1",
  });
});
