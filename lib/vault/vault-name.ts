/** What is wrong with the name of a vault. */
export function nameProblems(name: string): string[] {
  if (/^[A-Za-z0-9_-]{2,50}$/.test(name)) return [];
  return [
    `vaultName is '${name}': use 2 to 50 letters, digits, dashes and underscores, and no token, so that other regions can ` +
      'know it',
  ];
}
