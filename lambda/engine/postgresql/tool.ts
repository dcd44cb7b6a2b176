/** What a tool's own words say went wrong: its errors, without its name and its repetitions. */
export function toolReason(said: string): string {
  const lines = said.split('\n').map((line) => line.trim());
  const errors = lines.filter((line) => /\b(error|fatal):/i.test(line) || /^(DETAIL|HINT):/.test(line));
  const chosen = errors.length > 0 ? errors.slice(0, 4) : lines.filter(Boolean).slice(-3);
  return (
    chosen.map((line) => line.replace(/^pg_(dump|restore): (error: )?/, '')).join('; ') || 'it gave no reason'
  );
}
