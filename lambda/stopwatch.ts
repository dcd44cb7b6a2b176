/** Tells the seconds that have passed since it was made, to the millisecond. */
export interface Stopwatch {
  (): number;
  /** Stands still while somebody is waited for. */
  pause<T>(wait: () => Promise<T>): Promise<T>;
}

/** By a clock that is there: `performance` is a module, which takes a millisecond to load. */
export function stopwatch(): Stopwatch {
  let began = process.uptime();
  const tell = () => Math.round((process.uptime() - began) * 1000) / 1000;
  return Object.assign(tell, {
    async pause<T>(wait: () => Promise<T>): Promise<T> {
      const stopped = process.uptime();
      try {
        return await wait();
      } finally {
        began += process.uptime() - stopped;
      }
    },
  });
}
