/** What a tool's own words say went wrong: its errors, without its name, its repetitions and a tenant's values. */
export function toolReason(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /\b(error|fatal):/i.test(line) || /^(DETAIL|HINT):/.test(line));
  const chosen = errors.length > 0 ? errors.slice(0, 4) : lines.filter(Boolean).slice(-3);
  return (
    chosen
      .filter((line) => !ROW.test(line))
      .map((line) => withoutValues(line.replace(/^pg_(dump|restore): (error: )?/, '')))
      .join('; ') || 'it gave no reason'
  );
}

const ROW = /^DETAIL:\s+(Failing row contains|Key) \(/;

/** The server quotes values, which are a tenant's. */
export function withoutValues(reason: string): string {
  return reason
    .replace(/(invalid input (?:syntax|value) for [^:]+|out of range): ".*"/s, '$1')
    .replace(/value ".*" is out of range/s, 'a value is out of range');
}
