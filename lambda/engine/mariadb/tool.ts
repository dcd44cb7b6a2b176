/** What a client tool's own words say went wrong, without its name. */
export function toolReason(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.trim())
    .filter(
      (line) => line !== '' && !/deprecated program name|using a password on the command line/i.test(line),
    );
  // Its own words alone: it may have written the statement that failed, too, which is full of a tenant's data.
  const errors = lines.filter((line) => /^(ERROR \d|\S*(mariadb|mysql)[\w-]*: )/.test(line));
  const chosen = errors.length > 0 ? errors.slice(0, 3) : lines.slice(-3);
  return (
    chosen
      .map((line) => line.replace(/^\S*(mariadb-dump|mysqldump|mariadb|mysql): /, '').slice(0, 500))
      .join('; ') || 'it gave no reason'
  );
}
