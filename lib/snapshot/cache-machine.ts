/** The state machine that snapshots caches and expires the snapshots it has made, in the language of Step Functions. */

/** Snapshots are named after it and the time, so that their names sort by age and tell who made them. */
const NAME = "$states.input.prefix & $now('[Y0001][M01][D01]-[H01][m01]')";

interface Calls {
  readonly create: string;
  readonly describe: string;
  readonly remove: string;
  /** Name of the parameter that takes the cache. */
  readonly cache: string;
  /** Name of the parameter that takes the snapshot, and of the field that tells it. */
  readonly snapshot: string;
  /** The list in the answer of `describe`. */
  readonly list: string;
  readonly only: { readonly [parameter: string]: string };
}

/** Groups of nodes, and serverless caches: the same steps by other names. */
export const NODES: Calls = {
  create: 'createSnapshot',
  describe: 'describeSnapshots',
  remove: 'deleteSnapshot',
  cache: 'ReplicationGroupId',
  snapshot: 'SnapshotName',
  list: 'Snapshots',
  only: { SnapshotSource: 'user' },
};
export const SERVERLESS: Calls = {
  create: 'createServerlessCacheSnapshot',
  describe: 'describeServerlessCacheSnapshots',
  remove: 'deleteServerlessCacheSnapshot',
  cache: 'ServerlessCacheName',
  snapshot: 'ServerlessCacheSnapshotName',
  list: 'ServerlessCacheSnapshots',
  only: { SnapshotType: 'manual' },
};

export interface CacheToSnapshot {
  readonly name: string;
  readonly prefix: string;
}

/** One cache after the other: a snapshot, then away with those that are older than the retention. */
export function cacheDefinition(
  partition: string,
  retentionDays: number,
  groups: readonly CacheToSnapshot[],
  serverless: readonly CacheToSnapshot[],
): object {
  const branches = [
    ...(groups.length > 0 ? [branch('Group', NODES, partition, retentionDays, groups)] : []),
    ...(serverless.length > 0
      ? [branch('Serverless', SERVERLESS, partition, retentionDays, serverless)]
      : []),
  ];
  return {
    Comment: 'Snapshots caches, and expires the snapshots that it has made',
    QueryLanguage: 'JSONata',
    StartAt: 'Caches',
    States: { Caches: { Type: 'Parallel', Branches: branches, End: true } },
  };
}

function branch(
  kind: string,
  calls: Calls,
  partition: string,
  retentionDays: number,
  caches: readonly CacheToSnapshot[],
): object {
  const call = (action: string) => `arn:${partition}:states:::aws-sdk:elasticache:${action}`;
  const patient = [
    {
      ErrorEquals: ['States.ALL'],
      IntervalSeconds: 60,
      BackoffRate: 2,
      MaxAttempts: 4,
      JitterStrategy: 'FULL',
    },
  ];
  const process = {
    ProcessorConfig: { Mode: 'INLINE' },
    StartAt: `Snapshot${kind}`,
    States: {
      [`Snapshot${kind}`]: {
        Type: 'Task',
        Resource: call(calls.create),
        Arguments: { [calls.cache]: '{% $states.input.name %}', [calls.snapshot]: `{% ${NAME} %}` },
        Output: '{% $states.input %}',
        Retry: patient,
        Next: `List${kind}`,
      },
      [`List${kind}`]: {
        Type: 'Task',
        Resource: call(calls.describe),
        Arguments: { [calls.cache]: '{% $states.input.name %}', ...calls.only, MaxRecords: 50 },
        Output: { expired: `{% ${expired(calls, retentionDays)} %}` },
        Retry: patient,
        Next: `Expire${kind}`,
      },
      [`Expire${kind}`]: {
        Type: 'Map',
        Items: '{% $states.input.expired %}',
        MaxConcurrency: 1,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: `Delete${kind}`,
          States: {
            [`Delete${kind}`]: {
              Type: 'Task',
              Resource: call(calls.remove),
              Arguments: { [calls.snapshot]: '{% $states.input %}' },
              Retry: patient,
              End: true,
            },
          },
        },
        End: true,
      },
    },
  };
  return {
    StartAt: `Each${kind}`,
    States: {
      [`Each${kind}`]: {
        Type: 'Map',
        Items: caches,
        MaxConcurrency: 5,
        ItemProcessor: process,
        End: true,
      },
    },
  };
}

/** Names of our own snapshots from before the retention. Nobody else's has the prefix, and none of theirs is deleted. */
function expired({ list, snapshot }: Calls, retentionDays: number): string {
  const limit = `$fromMillis($millis() - ${retentionDays * 86_400_000}, '[Y0001][M01][D01]-[H01][m01]')`;
  // The length tells `sb-carts-…` from `sb-carts-2-…`, which are of another cache.
  const own =
    `$length($) = $length($prefix) + ${'YYYYMMDD-HHMM'.length} and $substring($, 0, $length($prefix)) = $prefix ` +
    'and $substring($, $length($prefix)) < $limit';
  return (
    `($prefix := $states.input.prefix; $limit := ${limit}; ` + `[$states.result.${list}.${snapshot}[${own}]])`
  );
}
