/** Protection that a construct of this library has written down, because no property of a template shows it. */
import type { Resolver } from '../../residency/resolve/resolver';
import { own, type Stack, section } from '../../residency/resolve/stack';
import type { Objective } from '../assessment';
import type { Store } from '../store';
import type { Drill } from '../worst-case';
import { RECORD_PREFIX } from './kept';
import type { Row } from './row';
import { branches, type Fields, fieldsOf, flagOf, knownText, listOf, numberOf, textOf } from './values';

/** @param drills of all stacks, by the path of the construct whose restores they try */
export function recordedLayers(
  resolver: Resolver,
  stack: Stack,
  drills: ReadonlyMap<string, Drill>,
): readonly Row[] {
  return records(resolver, stack).flatMap((record) =>
    listOf(record.layers).map((each): Row => {
      const layer = fieldsOf(each);
      const unclear: string[] = [];
      const number = (name: string) => numberOf(layer[name], name, unclear);
      const name = textOf(layer.name) ?? 'backups';
      const constructPath = textOf(layer.constructPath) ?? null;
      return {
        target: { stack, logicalId: null, type: null, tags: new Map() },
        subject: textOf(layer.subject) ?? name,
        logicalId: textOf(layer.logicalId) ?? '',
        constructPath,
        layers: [
          {
            name,
            intervalMinutes: number('intervalMinutes'),
            startDelayMinutes: number('startDelayMinutes') ?? 0,
            startDelayReason: textOf(layer.startDelayReason) ?? '',
            completionMinutes: number('completionMinutes') ?? 0,
            retentionDays: number('retentionDays'),
            stores: listOf(layer.stores).map((store) => storeOf(fieldsOf(store), stack, unclear)),
          },
        ],
        undetermined: unclear,
        drill: drills.get(constructPath ?? '') ?? null,
        apart: true,
      };
    }),
  );
}

/** Drills that constructs have written down, the most frequent of each. */
export function recordedDrills(resolver: Resolver, stacks: readonly Stack[]): ReadonlyMap<string, Drill> {
  const drills = new Map<string, Drill>();
  for (const each of stacks.flatMap((stack) =>
    records(resolver, stack).flatMap((record) => listOf(record.drills)),
  )) {
    const fields = fieldsOf(each);
    const of = textOf(fields.of);
    const everyMinutes = numberOf(fields.everyMinutes, 'everyMinutes', []);
    if (of === undefined || everyMinutes === undefined) continue;
    const known = drills.get(of);
    if (known !== undefined && known.everyMinutes <= everyMinutes) continue;
    const name = textOf(fields.name) ?? 'a drill';
    drills.set(of, { name, everyMinutes, judged: flagOf(fields.judged) });
  }
  return drills;
}

/** What was promised for everything that the stack protects. */
export function recordedObjective(resolver: Resolver, stack: Stack): Objective | null {
  for (const record of records(resolver, stack)) {
    if (record.objective === undefined) continue;
    const fields = fieldsOf(record.objective);
    const number = (name: string) => numberOf(fields[name], name, []);
    return {
      maxLossMinutes: number('maxLossMinutes'),
      retentionDays: number('retentionDays'),
      copies: number('copies'),
      immutable: flagOf(fields.immutable) || undefined,
      restoreTestMinutes: number('restoreTestMinutes'),
    };
  }
  return null;
}

function records(resolver: Resolver, stack: Stack): readonly Fields[] {
  const metadata = section(stack.input.document, 'Metadata');
  return Object.keys(metadata)
    .filter((key) => key.startsWith(RECORD_PREFIX))
    .map((key) => fieldsOf(branches(resolver, stack, own(metadata, key))[0]));
}

const KINDS: readonly string[] = ['vault', 'snapshots', 'automated', 'archive'];
const LOCKS: readonly string[] = ['air-gapped', 'compliance', 'governance', 'none', 'unknown'];

function storeOf(fields: Fields, stack: Stack, unclear: string[]): Store {
  const text = (name: string) => textOf(fields[name]);
  const kind = text('kind') ?? '';
  const lock = text('lock') ?? '';
  const name = text('name');
  return {
    kind: (KINDS.includes(kind) ? kind : 'archive') as Store['kind'],
    name: name === undefined ? null : knownText(name),
    region: knownText(text('region') ?? stack.region),
    account: knownText(text('account') ?? stack.account),
    lock: (LOCKS.includes(lock) ? lock : 'unknown') as Store['lock'],
    retentionDays: numberOf(fields.retentionDays, 'retentionDays', unclear),
  };
}
