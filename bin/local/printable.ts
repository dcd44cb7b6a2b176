/** What would steer a terminal, or turn its lines about. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** A message, as it is but for what would steer a terminal: names, and what archives say of themselves, can be anything. */
export function harmless(message: string): string {
  return message.replace(
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Names and keys that come from a tenant's database must not steer a terminal, nor pass for several lines. */
export function printable(text: string): string {
  return /[\t\n]/.test(text) || harmless(text) !== text ? harmless(JSON.stringify(text)) : text;
}
