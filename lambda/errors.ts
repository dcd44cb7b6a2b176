/** What was asked for cannot be: a name, a time, a file, a version. Nothing was touched. */
export class InputError extends Error {
  public readonly exitCode = 2;
}

/** The work was begun and could not be finished; the message says what holds now and what to do. */
export class OperationError extends Error {
  public readonly exitCode = 3;
}

/** A message for people out of anything that was thrown, without a stack and on one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(reasonOf).join('; ');
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.trim().replace(/\s*\n\s*/g, '; ');
}
