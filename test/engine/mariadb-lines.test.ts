import fc from 'fast-check';
import { checkLines, LineWriter, valuesOf } from '../../lambda/engine/mariadb/rows/lines';
import { WholeLines } from '../../lambda/tenancy/whole-lines';

const NONE = { t: '\t', n: '\n', r: '\r', '0': '\0', '\\': '\\', "'": "'" } as Record<string, string>;

/** What the server makes of `('a',NULL,x'00')`, read one character after the other; it fails on anything else. */
function read(sql: string): (string | null)[] {
  const values: (string | null)[] = [];
  let at = 1;
  for (;;) {
    if (sql.startsWith('NULL', at)) {
      values.push(null);
      at += 4;
    } else {
      expect(sql[at]).toBe("'");
      let value = '';
      for (at += 1; sql[at] !== "'"; at += 1) {
        expect(at).toBeLessThan(sql.length);
        const escaped = sql[at] === '\\';
        if (escaped) at += 1;
        value += escaped ? NONE[sql[at]!] : sql[at];
      }
      values.push(value);
      at += 1;
    }
    if (sql.slice(at) === ')') return values;
    expect(sql[at]).toBe(',');
    at += 1;
  }
}

/** As the server sends a row: before each value the number of its bytes, in as few bytes as that takes. */
function packetOf(row: readonly (string | null)[]): Buffer {
  const sized = (value: string) => {
    const bytes = Buffer.from(value);
    const size = Buffer.alloc(9);
    size.writeUIntLE(bytes.length, 1, 6);
    const [tag, width] =
      bytes.length < 251 ? [bytes.length, 0] : bytes.length < 65536 ? [0xfc, 2] : [0xfd, 3];
    size[0] = tag;
    return Buffer.concat([size.subarray(0, 1 + width), bytes]);
  };
  return Buffer.concat(row.map((value) => (value === null ? Buffer.from([0xfb]) : sized(value))));
}

function fileOf(rows: readonly (readonly (string | null)[])[]): Buffer {
  const writer = new LineWriter();
  const given = rows.map((row) => {
    const packet = packetOf(row);
    const among = Buffer.concat([Buffer.from('no'), packet, Buffer.from('row')]);
    return writer.row(among, 2, 2 + packet.length) ?? Buffer.alloc(0);
  });
  return Buffer.concat([...given, writer.take()]);
}

const text = fc.string({ unit: fc.constantFrom(...'\\\'"\t\n\r\0,()Nntr0x;-é🐢\ufeff\u2028', 'ab') });

test('what a row becomes in a file is what the server is sent, whatever its values hold and wherever bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.option(text), { minLength: 3, maxLength: 3 }), { maxLength: 5 }),
      fc.array(fc.nat(200)),
      fc.nat(60),
      (rows, cuts, enough) => {
        const bytes = fileOf(rows);
        const lines = new WholeLines(enough);
        const found: string[] = [];
        const take = (whole: Buffer | undefined) => {
          if (!whole || whole.length === 0) return;
          const texts = whole.toString().split('\n');
          expect(texts.pop()).toBe('');
          expect(checkLines(whole, [false, false, false])).toBe(texts.length);
          found.push(...texts);
        };
        const ends = [...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
        for (const [at, end] of ends.entries()) take(lines.push(bytes.subarray(ends[at - 1] ?? 0, end)));
        take(lines.rest());
        expect(found.map((line) => read(valuesOf(line, [false, false, false])))).toEqual(rows);
      },
    ),
    { numRuns: 500 },
  );
});

test('of some columns each byte becomes two digits', () => {
  const writer = new LineWriter([true, false, true]);
  const packet = packetOf(['\n\u007f', 'a\t', null]);
  writer.row(packet, 0, packet.length);
  expect(writer.take().toString()).toBe('0A7F\ta\\t\t\\N\n');
});

test('values of any size come one after the other, in as many pieces as that takes', () => {
  const row = [0, 250, 251, 65_535, 65_536, 300_000].map((size) => '\t'.repeat(size));
  const rows = Array.from({ length: 5 }, (_, at) => [String(at), null, ...row]);
  const line = row.map((value) => value.replaceAll('\t', '\\t')).join('\t');
  expect(fileOf(rows).toString()).toBe(rows.map((_, at) => `${at}\t\\N\t${line}\n`).join(''));
});

test('a line from anywhere is read as values, or refused; it never is more than that', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const line = `${a}\t${b}`.replaceAll('\n', '');
      try {
        expect(checkLines(Buffer.from(`${line}\n`), [false, false])).toBe(1);
      } catch (error) {
        expect((error as Error).message).toMatch(/^the archive's rows cannot be read: /);
        return;
      }
      expect(read(valuesOf(line, [false, false]))).toHaveLength(2);
    }),
    { numRuns: 500 },
  );
  expect(valuesOf('0AfF\t1\t', [true, true, true])).toBe("(x'0AfF',x'01',x'')");
  const check = (line: string, hexadecimal: boolean) => checkLines(Buffer.from(`${line}\n`), [hexadecimal]);
  expect(check('0AfF', true)).toBe(1);
  expect(check('\\N', true)).toBe(1);
  for (const bad of ["0a'", '0a;', 'xx', '\\\\'])
    expect(() => check(bad, true)).toThrow(/not in hexadecimal digits/);
  for (const bad of ['\\', 'a\\', '\\x', "\\'", 'a\\N', '\\Na'])
    expect(() => check(bad, false)).toThrow(/a backslash before nothing/);
  expect(() => check('a\tb', false)).toThrow('a line has 2 values, and the table 1 columns');
  expect(() => checkLines(Buffer.from('a'), [false])).toThrow(/its last line has no end/);
  expect(() => checkLines(Buffer.from([0xc3, 0x28, 10]), [false])).toThrow(/not UTF-8/);
});
