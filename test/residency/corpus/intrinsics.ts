/** Ways in which people write a value in a template: each gives the same value back. */

/** What a style needs next to the resources. */
export interface Surroundings {
  readonly Parameters: Record<string, unknown>;
  readonly Mappings: Record<string, unknown>;
  readonly Conditions: Record<string, unknown>;
  /** Exported by another stack of the same account and region. */
  readonly exported: Record<string, string>;
}

export type Style = (value: string, around: Surroundings) => unknown;

let serial = 0;
const fresh = (kind: string) => `${kind}${++serial}`;

/** The value with `${…}` of Fn::Sub taken literally. */
const escaped = (text: string) => text.replaceAll('${', '${!');

const halves = (text: string): [string, string] => {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)];
};

const styles = {
  literal: (value) => value,
  'parameter default': (value, around) => {
    const name = fresh('Parameter');
    around.Parameters[name] = { Type: 'String', Default: value };
    return { Ref: name };
  },
  'Fn::Sub': (value, around) => {
    const [left, right] = halves(value);
    const name = fresh('Part');
    around.Parameters[name] = { Type: 'String', Default: right };
    return { 'Fn::Sub': `${escaped(left)}\${${name}}` };
  },
  'Fn::Sub with variables': (value) => {
    const [left, right] = halves(value);
    return { 'Fn::Sub': [`\${A}${escaped(right)}`, { A: left }] };
  },
  'Fn::Join': (value) => ({ 'Fn::Join': ['-', value.split('-')] }),
  'Fn::FindInMap': (value, around) => {
    const name = fresh('Mapping');
    around.Mappings[name] = { 'eu-west-1': { Value: value }, 'us-east-1': { Value: 'wrong' } };
    return { 'Fn::FindInMap': [name, { Ref: 'AWS::Region' }, 'Value'] };
  },
  'Fn::ImportValue': (value, around) => {
    const name = fresh('export-');
    around.exported[name] = value;
    return { 'Fn::ImportValue': { 'Fn::Sub': name } };
  },
  'Fn::Select': (value) => ({ 'Fn::Select': ['1', ['wrong', value]] }),
  'Fn::Select of Fn::Split': (value) => ({ 'Fn::Select': [0, { 'Fn::Split': ['|', `${value}|wrong`] }] }),
} satisfies Record<string, Style>;

export type StyleName = keyof typeof styles;
export const STYLES: Readonly<Record<StyleName, Style>> = styles;
export const STYLE_NAMES = Object.keys(STYLES) as StyleName[];

/** A choice that nobody can foresee: both branches exist. */
export function either(one: unknown, other: unknown, around: Surroundings): unknown {
  const name = fresh('Condition');
  around.Conditions[name] = { 'Fn::Equals': [{ Ref: 'AWS::StackName' }, 'production'] };
  return { 'Fn::If': [name, one, other] };
}

export function nothingAround(): Surroundings {
  return { Parameters: {}, Mappings: {}, Conditions: {}, exported: {} };
}
