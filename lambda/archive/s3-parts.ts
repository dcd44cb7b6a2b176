const mebibyte = 1024 * 1024;

/** What a service takes of a multipart upload. AWS: 10,000 parts of 5 MiB to 5 GiB; some providers take only 1,000. */
export interface PartLimits {
  readonly parts: number;
  /** Some providers (Cloudflare R2) want every part but the last to have the same size. */
  readonly equal: boolean;
}

/** Small enough for a function with little memory, large enough that requests do not dominate. */
const smallest = 8 * mebibyte;
const largest = 5 * 1024 * mebibyte;
/** Sizes grow in this many steps over the allowed parts: once, twice, ... ten times the first. */
const steps = 10;
/** How much of the room that the limits give is planned for; the rest is for an expectation that was too low. */
const planned = 0.9;

/**
 * The sizes of the parts of an upload, by part number from 1.
 *
 * The length of a dump is known only at its end, and running out of part numbers then would lose the whole run. So
 * parts grow as they go: an upload of which nothing was known still has room for 430 GiB of AWS's 10,000 parts.
 */
export function partSizes(expectedBytes: number | undefined, limits: PartLimits): (part: number) => number {
  const expected = expectedBytes ?? 0;
  if (limits.equal) {
    const size = clamp(Math.ceil(expected / (limits.parts * planned)));
    return () => size;
  }
  const stepLength = Math.max(1, Math.floor(limits.parts / steps));
  // 1 + 2 + ... + 10 times the first size, for each part of a step.
  const room = stepLength * ((steps * (steps + 1)) / 2) * planned;
  const first = clamp(Math.ceil(expected / room));
  return (part) => Math.min(largest, first * Math.min(steps, Math.ceil(part / stepLength)));
}

function clamp(size: number): number {
  return Math.min(largest, Math.max(smallest, size));
}
