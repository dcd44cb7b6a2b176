import { setFlagsFromString } from 'node:v8';

/**
 * While bytes stream through, V8 collects its whole heap for every 14 MB of buffers, because it compares them with the
 * few megabytes of objects that there are. Letting five times as much come together saves a tenth of a dump's processor
 * time, and costs some 30 MB.
 */
export function collectSeldom(): void {
  setFlagsFromString('--heap-growing-percent=400');
}

/**
 * While rows pass through, V8 makes room for ever more of them to wait for collection, up to some 130 MB. A few
 * megabytes do as well, and take no longer.
 */
export function collectSoon(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
