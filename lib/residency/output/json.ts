import type { AuditResult } from '../model';

/** The result as the one document that the contract promises: two spaces, keys in a fixed order, a newline at the end. */
export function jsonOf(result: AuditResult): string {
  return `${JSON.stringify(result, undefined, 2)}\n`;
}
