// Ways in which an archive can come to be another one than was written. Each gives other bytes, or other objects.

export type Objects = Map<string, Buffer>;
export interface Mutation {
  readonly what: string;
  readonly objects: Objects;
}

interface Dice {
  /** A whole number from 0 to below the limit. */
  below(limit: number): number;
  of<T>(list: readonly T[]): T;
}

export function dice(random: () => number): Dice {
  const below = (limit: number) => Math.floor(random() * limit);
  return { below, of: (list) => list[below(list.length)]! };
}

type Change = (bytes: Buffer, dice: Dice) => Buffer;

const splice = (bytes: Buffer, from: number, length: number, ...inserted: Buffer[]) =>
  Buffer.concat([bytes.subarray(0, from), ...inserted, bytes.subarray(from + length)]);

/** Headers, frame boundaries and tails are where formats break: they are chosen as often as all the rest. */
function place(bytes: Buffer, { below, of }: Dice): number {
  const near = of([0, bytes.length, 262_144, 262_180]) + below(64) - 32;
  return of([true, false]) ? below(bytes.length) : Math.min(Math.max(near, 0), bytes.length - 1);
}

const BYTES: Record<string, Change> = {
  'a flipped bit': (bytes, dice) => {
    const changed = Buffer.from(bytes);
    changed[place(bytes, dice)]! ^= 1 << dice.below(8);
    return changed;
  },
  'another byte': (bytes, dice) => {
    const changed = Buffer.from(bytes);
    changed[place(bytes, dice)] = dice.below(256);
    return changed;
  },
  'a cut': (bytes, dice) => bytes.subarray(0, place(bytes, dice)),
  'a missing beginning': (bytes, dice) => bytes.subarray(place(bytes, dice)),
  'added bytes': (bytes, { below }) => Buffer.concat([bytes, Buffer.alloc(1 + below(40), below(256))]),
  'inserted bytes': (bytes, dice) =>
    splice(bytes, place(bytes, dice), 0, Buffer.alloc(1 + dice.below(40), dice.below(256))),
  'a missing piece': (bytes, dice) => splice(bytes, place(bytes, dice), 1 + dice.below(400)),
  'a zeroed piece': (bytes, dice) => Buffer.from(bytes).fill(0, place(bytes, dice)).subarray(0, bytes.length),
  'a repeated piece': (bytes, dice) => {
    const from = place(bytes, dice);
    return splice(bytes, from, 0, bytes.subarray(from, from + 1 + dice.below(300_000)));
  },
  "two pieces in each other's place": (bytes, dice) => {
    const length = 1 + dice.below(Math.min(300_000, Math.floor(bytes.length / 2)));
    const first = dice.below(bytes.length - 2 * length + 1);
    const [a, b] = [
      bytes.subarray(first, first + length),
      bytes.subarray(first + length, first + 2 * length),
    ];
    return splice(bytes, first, 2 * length, b, a);
  },
};

/** Still JSON afterwards, and mostly with the same meaning to a careless reader. */
const JSON_TEXT: Record<string, Change> = {
  'another digit': (bytes, dice) => replaceOne(bytes, dice, /\d/g, (digit) => `${(Number(digit) + 1) % 10}`),
  'another letter': (bytes, dice) =>
    replaceOne(bytes, dice, /[a-y]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 1)),
  'one space more': (bytes, dice) => replaceOne(bytes, dice, /\n/g, () => ' \n'),
  'all spaces gone': (bytes) => Buffer.from(JSON.stringify(JSON.parse(bytes.toString()))),
  'a field twice': (bytes, dice) =>
    replaceOne(bytes, dice, /^ {2}"(\w+)": /gm, (field) => `  "schemaVersion": 1,\n${field}`),
  'a field more': (bytes) => edited(bytes, (manifest) => ({ ...manifest, extra: true })),
  'a field less': (bytes, dice) =>
    edited(bytes, (manifest) => {
      delete manifest[dice.of(Object.keys(manifest))];
      return manifest;
    }),
  'a field of another kind': (bytes, dice) =>
    edited(bytes, (manifest) => ({
      ...manifest,
      [dice.of(Object.keys(manifest))]: dice.of([null, [], {}, '', 0, -1, true, '__proto__', 1e308]),
    })),
  'a nested field of another kind': (bytes, dice) =>
    edited(bytes, (manifest) => {
      const outer = dice.of(Object.keys(manifest).filter((key) => isObject(manifest[key])));
      const inner = manifest[outer] as Record<string, unknown>;
      inner[dice.of([...Object.keys(inner), 'added'])] = dice.of([null, [], {}, '', 0, -1, true, 'x']);
      return manifest;
    }),
  'fewer rows': (bytes) =>
    edited(bytes, (manifest) => ({ ...manifest, tables: (manifest.tables as unknown[]).slice(1) })),
  'a mark of byte order': (bytes) => Buffer.concat([Buffer.from('\ufeff'), bytes]),
  'what is no JSON': (_, dice) => Buffer.from(dice.of(['', 'null', '[]', '1', '{', '"x"', '{}', '\u0000'])),
};

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

function edited(bytes: Buffer, edit: (manifest: Record<string, unknown>) => unknown): Buffer {
  return Buffer.from(`${JSON.stringify(edit(JSON.parse(bytes.toString())), null, 2)}\n`);
}

function replaceOne(bytes: Buffer, { of }: Dice, what: RegExp, by: (found: string) => string): Buffer {
  const text = bytes.toString();
  const found = of([...text.matchAll(what)]);
  const end = found.index + found[0].length;
  return Buffer.from(text.slice(0, found.index) + by(found[0]) + text.slice(end));
}

/** One random change of an archive's objects; `others` are those of other archives, by the same names of parts. */
export function mutate(objects: Objects, others: readonly Objects[], random: () => number): Mutation {
  const roll = dice(random);
  for (;;) {
    const mutation = once(objects, others, roll);
    if (!same(objects, mutation.objects)) return mutation;
  }
}

function once(objects: Objects, others: readonly Objects[], roll: Dice): Mutation {
  const changed = new Map(objects);
  const keys = [...objects.keys()];
  const key = roll.of(keys);
  const name = key.slice(key.lastIndexOf('/') + 1);
  const kind = roll.below(20);
  if (kind < 13) {
    const how = roll.of(Object.keys(BYTES));
    changed.set(key, BYTES[how]!(objects.get(key)!, roll));
    return { what: `${how} in ${name}`, objects: changed };
  }
  if (kind < 16) {
    const manifest = keys.find((each) => each.endsWith('/manifest.json'))!;
    const how = roll.of(Object.keys(JSON_TEXT));
    changed.set(manifest, JSON_TEXT[how]!(objects.get(manifest)!, roll));
    return { what: `${how} in manifest.json`, objects: changed };
  }
  if (kind === 16) {
    changed.delete(key);
    return { what: `${name} removed`, objects: changed };
  }
  if (kind === 17) {
    changed.set(key, objects.get(roll.of(keys))!);
    return { what: `another part as ${name}`, objects: changed };
  }
  if (kind === 18) {
    const folder = key.slice(0, key.lastIndexOf('/') + 1);
    const added = roll.of(['data.1', 'manifest.json~', 'sub/data', '.hidden', 'DATA']);
    changed.set(folder + added, Buffer.from('x'));
    return { what: `${added} added`, objects: changed };
  }
  const other = roll.of(others);
  const taken = roll.of([
    [name],
    ['manifest.json', 'manifest.seal'],
    ['data', 'manifest.json'],
    ['data', 'manifest.seal'],
  ]);
  for (const each of keys) {
    const part = each.slice(each.lastIndexOf('/') + 1);
    const bytes = [...other].find(([theirs]) => theirs.endsWith(`/${part}`))?.[1];
    if (taken.includes(part) && bytes) changed.set(each, bytes);
  }
  return { what: `${taken.join(' and ')} of another archive`, objects: changed };
}

function same(a: Objects, b: Objects): boolean {
  return a.size === b.size && [...a].every(([key, bytes]) => b.get(key)?.equals(bytes));
}
