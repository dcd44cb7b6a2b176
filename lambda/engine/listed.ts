/** The first of many things, and how many more there are, for a message. */
export function listed(items: readonly string[]): string {
  return items.slice(0, 10).join('; ') + (items.length > 10 ? `; and ${items.length - 10} more` : '');
}
