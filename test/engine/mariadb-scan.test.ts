import fc from 'fast-check';
import { refuseCapitals } from '../../lambda/engine/mariadb/catalog';
import { type Connection, explained } from '../../lambda/engine/mariadb/connect';
import {
  createHead,
  eventStatus,
  unqualifiedTrigger,
  unqualifiedView,
} from '../../lambda/engine/mariadb/head';
import { DumpScanner } from '../../lambda/engine/mariadb/scan';
import { statementStart } from '../../lambda/engine/mariadb/statement';
import { toolReason } from '../../lambda/engine/mariadb/tool';

const END = '\n-- Dump completed on 2026-11-25 18:04:25\n';

function scan(text: string, cuts: readonly number[] = []) {
  const statements: string[] = [];
  let rows = '';
  const scanner = new DumpScanner({
    statement: (sql, delimiter) => statements.push(`${sql.toString()}${delimiter}`),
    rows: (bytes) => {
      rows += bytes.toString('latin1');
    },
  });
  const bytes = Buffer.from(text);
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b).filter((each) => each < bytes.length)) {
    scanner.push(bytes.subarray(from, cut));
    from = cut;
  }
  scanner.push(bytes.subarray(from));
  scanner.end();
  return {
    statements,
    rows: Buffer.from(rows, 'latin1').toString(),
    counts: Object.fromEntries(scanner.rows),
  };
}

const DUMP = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump; it's here
/*!40101 SET NAMES utf8mb4 */;
CREATE TABLE \`a;'b\` (x text COMMENT 'it''s; \\' ok');
INSERT INTO \`a;'b\` (\`co)l\`, \`VALUES\`) VALUES (1,'x);(\\'\\\\'),
(2,NULL),(3,'''('),(4,_binary 'é日🎉\\0');
INSERT INTO \`a;'b\` VALUES (5,f(1,(2)));
DELIMITER ;;
/*!50003 CREATE*/ /*!50003 TRIGGER t BEFORE INSERT ON x FOR EACH ROW begin -- don't; stop
  set @a = ';;'; # it's ;;
  /* it's ;; */ end */;;
DELIMITER ;
/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */ ;
CREATE PROCEDURE p() SELECT '\\', "x;y";
/*!50003 SET sql_mode = @saved */ ;
`;

test('statements end where the client ends them, and rows are counted, wherever the bytes are cut', () => {
  const whole = scan(DUMP + END);
  expect(whole.counts).toEqual({ "a;'b": 5 });
  expect(whole.statements).toHaveLength(6);
  expect(whole.statements[2]).toMatch(/^\/\*!50003 CREATE\*\/.*end \*\/;;$/s);
  expect(whole.statements[4]).toBe(`CREATE PROCEDURE p() SELECT '\\', "x;y";`);
  fc.assert(
    fc.property(fc.array(fc.nat(DUMP.length + END.length), { maxLength: 30 }), (cuts) => {
      expect(scan(DUMP + END, cuts)).toEqual(whole);
    }),
  );
});

test('a dump that is cut anywhere is found out', () => {
  const bytes = Buffer.from(DUMP + END);
  const marker = bytes.indexOf('-- Dump completed') + '-- Dump completed'.length;
  for (let length = 0; length < marker; length += 3) {
    const scanner = new DumpScanner();
    expect(() => {
      scanner.push(bytes.subarray(0, length));
      scanner.end();
    }).toThrow();
  }
});

test('any text is counted as one row, as the tools escape it', () => {
  const named: Record<string, string> = { '\n': 'n', '\r': 'r', '\0': '0', '\u001a': 'Z' };
  const escaped = (text: string) =>
    [...text].map((one) => ('\\\'"'.includes(one) || named[one] ? `\\${named[one] ?? one}` : one)).join('');
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
      const values = texts.map((text) => `('${escaped(text)}',1)`).join(',');
      expect(scan(`INSERT INTO \`t\` VALUES ${values};${END}`).counts).toEqual({ t: texts.length });
    }),
    { numRuns: 40 },
  );
});

test('heads of statements: kind, name, definer, status, schemas', () => {
  const view = createHead(
    "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`ro``ot`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 'DEFINER=x' */",
  );
  expect(view).toMatchObject({ kind: 'VIEW', name: 'v', definer: { user: 'ro`ot', host: '%' } });
  expect(createHead('CREATE DEFINER="a b"@"h" PACKAGE BODY "p" as')).toMatchObject({
    kind: 'PACKAGE BODY',
    name: 'p',
    definer: { user: 'a b', host: 'h' },
  });
  expect(createHead('CREATE DATABASE x')).toBeUndefined();
  const event = createHead(
    "CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE DISABLE ON SLAVE COMMENT 'PRESERVE ENABLE' DO select 1",
  );
  expect(eventStatus(event!)?.text).toBe('DISABLE ON SLAVE');
  expect(
    unqualifiedTrigger(
      'CREATE DEFINER=`r`@`h` trigger live.`t` before insert on `live`.x for each row set @a = live.f()',
    ),
  ).toBe('CREATE DEFINER=`r`@`h` trigger `t` before insert on x for each row set @a = live.f()');
  expect(unqualifiedView("CREATE VIEW `v` AS select `a`.`t`.`n`, 'a', `b`.`a`.`x` from `a`.`t`", 'a')).toBe(
    "CREATE VIEW `v` AS select `t`.`n`, 'a', `b`.`a`.`x` from `t`",
  );
  // A table of the same name is no schema; a function's schema is one.
  expect(unqualifiedView('CREATE VIEW `v` AS select `a`.`n`,`a`.`f`(`b`.`n`) from (`a` join `b`)', 'a')).toBe(
    'CREATE VIEW `v` AS select `a`.`n`,`f`(`b`.`n`) from (`a` join `b`)',
  );
});

test.each([
  'DROP DATABASE x',
  'USE x',
  'GRANT ALL ON *.* TO x',
  '\\! sh',
  'DELETE FROM x.y',
  'LOAD DATA INFILE',
  'SELECT 1',
])('no dump has: %s', (sql) => {
  expect(() => statementStart(`/*!40000 ${sql} */`)).toThrow(/no dump of one database has/);
});

test('a server that is gone before the next statement is explained, and no other error without a code', () => {
  const gone = new Error("Can't add new command when connection is in closed state");
  expect(explained(gone, 'the swap was interrupted', 'restore again')).toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^the swap was interrupted: .*closed state; restore again$/),
  });
  const other = new Error('x is not a function');
  expect(explained(other, 'the swap was interrupted', 'restore again')).toBe(other);
});

test('why a tool failed is told in its own words, without the rows that it may have written beside them', () => {
  const said = `--------------
INSERT INTO \`visits\` VALUES
(1,'a terrible error of the liver'),
(2,'ERROR')
--------------

ERROR 2006 (HY000) at line 39: Server has gone away
`;
  expect(toolReason(said)).toBe('ERROR 2006 (HY000) at line 39: Server has gone away');
  expect(toolReason("mysqldump: Got error: 1045: Access denied for user 'x'")).toBe(
    "Got error: 1045: Access denied for user 'x'",
  );
});

test('the longest statement with rows is known while it is being read', () => {
  const scanner = new DumpScanner();
  scanner.push(Buffer.from("INSERT INTO `a` VALUES (1);\nINSERT INTO `b` VALUES (x'00');\n"));
  scanner.push(Buffer.from('INSERT INTO `c` VALUES (1);\n'));
  expect(scanner.longest).toEqual({ bytes: 31, table: 'b' });
  scanner.push(Buffer.from(`INSERT INTO \`c\` VALUES ('${'x'.repeat(100)}`));
  expect(scanner.longest).toEqual({ bytes: 125, table: 'c' });
});

test('where a server keeps names in lower case, one with capitals is refused, and the right one said', async () => {
  const server = (folds: number) =>
    ({ query: async () => [[{ folds: String(folds) }]] }) as unknown as Connection;
  await expect(refuseCapitals(server(1), 'Acme')).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('give it as "acme"'),
  });
  await refuseCapitals(server(1), 'acme');
  await refuseCapitals(server(0), 'Acme');
  await refuseCapitals(server(2), 'Acme');
});
