// Random tests that can be run again: the seed is printed, and SOVEREIGN_SEED sets it.

/** A stream of numbers in [0, 1) that is the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seed of this run, said on standard error so that a failure can be repeated. */
export function seedOf(what: string): number {
  const seed = Number(process.env.SOVEREIGN_SEED ?? Math.floor(Math.random() * 2 ** 32));
  process.stderr.write(`${what}: SOVEREIGN_SEED=${seed}\n`);
  return seed;
}

/** A number from the environment, for runs that are larger than the usual one. */
export function amount(name: string, usual: number): number {
  const value = process.env[name];
  if (value === undefined) return usual;
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new Error(`${name} is a whole number from 1, got ${value}`);
  return number;
}

/** With SOVEREIGN_FAULTS=all nothing is left to chance: every fault at every place. */
export const everyFault = process.env.SOVEREIGN_FAULTS === 'all';

/** As many of them, others in each run; all of them when every fault is asked for. */
export function someOf<T>(all: readonly T[], count: number, random: () => number): T[] {
  if (everyFault) return [...all];
  const left = [...all];
  return Array.from(
    { length: Math.min(count, all.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0]!,
  );
}
