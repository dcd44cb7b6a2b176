import { isObject, own, type Stack, section } from './stack';

/**
 * The key of a condition and the value it has, with `Fn::Not` and plain references followed, so that the branches of
 * `IsEurope` and of `Not IsEurope` are known to exclude each other.
 */
export function conditionOf(stack: Stack, name: string, holds: boolean): readonly [string, boolean] {
  let [current, value] = [name, holds];
  const conditions = section(stack.input.document, 'Conditions');
  for (let steps = 0; steps < 20; steps++) {
    const definition = own(conditions, current);
    if (!isObject(definition)) break;
    const plain = own(definition, 'Condition');
    const negated = own(definition, 'Fn::Not');
    if (typeof plain === 'string') current = plain;
    else if (Array.isArray(negated) && isObject(negated[0]) && typeof negated[0].Condition === 'string') {
      current = negated[0].Condition;
      value = !value;
    } else break;
  }
  return [`${stack.index}/${current}`, value];
}
