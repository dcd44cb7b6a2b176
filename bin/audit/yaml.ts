import {
  boolCoreTag,
  defineMappingTag,
  defineScalarTag,
  defineSequenceTag,
  load,
  loadAll,
  mapTag,
  mergeTag,
  nullCoreTag,
  Schema,
  seqTag,
  strTag,
  YAMLException,
} from 'js-yaml';
import { InputError } from '../../lib/residency/input.js';

/**
 * YAML as CloudFormation reads it: short forms of the intrinsic functions, and every other scalar as the text it is.
 * A number stays text, because an account id may begin with a zero; so does a date.
 */
const shortForm = (tag: string): string => {
  const name = tag.slice(1);
  return name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`;
};

const intrinsicScalar = defineScalarTag<unknown>('!', {
  matchByTagPrefix: true,
  resolve: (source, _explicit, tag) =>
    // `!GetAtt A.B.C` names resource A and attribute B.C; `!GetAZs` may have no argument.
    ({ [shortForm(tag)]: source }),
  identify: () => false,
});

const intrinsicSequence = defineSequenceTag<{ tag: string; items: unknown[] }, unknown>('!', {
  matchByTagPrefix: true,
  create: (tag) => ({ tag, items: [] }),
  addItem: (carrier, item) => {
    carrier.items.push(item);
  },
  finalize: ({ tag, items }) => ({ [shortForm(tag)]: items }),
  identify: () => false,
});

type Members = Record<string, unknown>;

const intrinsicMapping = defineMappingTag<{ tag: string; members: Members }, unknown>('!', {
  matchByTagPrefix: true,
  create: (tag) => ({ tag, members: {} }),
  addPair: ({ members }, key, value) => {
    if (typeof key === 'object' && key !== null) return 'a key must be text';
    Object.defineProperty(members, String(key), {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return '';
  },
  has: ({ members }, key) => Object.hasOwn(members, String(key)),
  keys: (result) => Object.keys(result as Members),
  get: (result, key) => (result as Members)[String(key)],
  finalize: ({ tag, members }) => ({ [shortForm(tag)]: members }),
  identify: () => false,
});

const schema = new Schema([
  strTag,
  seqTag,
  mapTag,
  nullCoreTag,
  boolCoreTag,
  mergeTag,
  intrinsicScalar,
  intrinsicSequence,
  intrinsicMapping,
]);

const options = { schema, maxDepth: 1000 };

/**
 * A template's YAML. Where a file has several documents, the one that looks like a template counts.
 *
 * @throws InputError with file and line
 */
export function parseYaml(text: string, path: string, isTemplate: (document: unknown) => boolean): unknown {
  try {
    if (!/^---(?:\s|$)/m.test(text.replace(/^\s*(?:#.*\n|\s)*---(?:\s|$)/, ''))) return load(text, options);
    const documents = loadAll(text, options).filter((document) => document !== null);
    const templates = documents.filter(isTemplate);
    if (templates.length > 1) {
      throw new InputError(
        `${path}: the file holds ${templates.length} templates; put each into a file of its own`,
      );
    }
    return templates[0] ?? documents[0];
  } catch (error) {
    throw explained(error, path);
  }
}

function explained(error: unknown, path: string): Error {
  if (error instanceof YAMLException) {
    const line = error.mark === undefined ? '' : `:${error.mark.line + 1}`;
    return new InputError(`${path}${line}: is no valid YAML: ${error.reason}; correct it there`);
  }
  if (error instanceof RangeError) return new InputError(`${path}: is nested too deeply to be read`);
  return error as Error;
}
