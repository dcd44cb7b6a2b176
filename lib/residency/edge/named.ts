import { isMadeByCode } from '../resolve/attributes';
import type { Resolver } from '../resolve/resolver';
import type { Stack } from '../resolve/stack';
import { isLiteral, leadingMarkLength } from '../resolve/text';
import { type End, ownEnd, unknownEnd } from './end';

/** Where a text stands. */
export interface Place {
  readonly resolver: Resolver;
  readonly stack: Stack;
}

/** A name, an id or a mark that is no ARN. */
export function named(text: string, { resolver, stack }: Place): End {
  const token = resolver.tokens.leading(text);
  if (token?.kind === 'resource') {
    const { type } = token.stack.resources.get(token.logicalId)!;
    if (isMadeByCode(type)) return unknownEnd(`${token.logicalId} is made by the code behind ${type}`);
    return ownEnd(token.stack);
  }
  const rest = text.slice(leadingMarkLength(text));
  const open = token?.kind === 'unknown' && (rest === '' || /^[:/]/.test(rest));
  if (open || (text.startsWith('arn:') && !isLiteral(text))) {
    return unknownEnd(resolver.tokens.why(text) ?? 'the value is not known');
  }
  return ownEnd(stack);
}
