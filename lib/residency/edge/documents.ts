/** Destinations written inside a document that is itself the value of a property. */
import type { Cargo } from '../model';
import { isObject, own, type PlainObject, scalar } from '../resolve/stack';
import { isLiteral } from '../resolve/text';
import { type End, filled, NOWHERE, ownEnd, unknownEnd } from './end';
import { placeOf, type Reading } from './forms';

export interface Found {
  /** Undefined for the stack's own place. */
  readonly from?: End;
  readonly to?: End;
  readonly what?: Cargo;
  /** Where in the document, for the property path. */
  readonly at: string;
}

/** JSON that came as text, with marks in it or not. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Copy targets of an Organizations backup policy, destinations of a Logs subscription filter policy. */
export function readPolicy(text: string, reading: Reading): readonly Found[] {
  const document = parsed(text);
  if (document === undefined) {
    const why = reading.resolver.tokens.why(text);
    return why === null ? [] : [{ to: unknownEnd(why), at: '' }];
  }
  const found: Found[] = [];
  visit(document, '', (key, value, at) => {
    if (key === 'copy_actions' && isObject(value)) {
      for (const vault of Object.keys(value)) {
        if (!vault.startsWith('@@'))
          found.push(...copyTarget(vault, value[vault], `${at}.${vault}`, reading));
      }
      return false;
    }
    if (/^DestinationArn$/i.test(key) && typeof value === 'string') {
      const to = placeOf('arn', value, reading);
      if (to !== undefined) found.push({ to, at });
      return false;
    }
    return true;
  });
  return found;
}

/** In a backup policy `$account` is the account that the policy is attached to. */
function copyTarget(vault: string, action: unknown, at: string, reading: Reading): readonly Found[] {
  const target = isObject(action) ? own(action, 'target_backup_vault_arn') : undefined;
  const assigned = isObject(target) ? own(target, '@@assign') : target;
  const arn = (typeof assigned === 'string' ? assigned : vault).replace('$account', reading.stack.account);
  // The policy works in the regions it names, not in the region of the stack that declares it.
  const to = placeOf('arn', arn, reading);
  return to === undefined ? [] : [{ to, at }];
}

type Visitor = (key: string, value: unknown, at: string) => boolean;

function visit(node: unknown, at: string, visitor: Visitor, depth = 0): void {
  if (depth > 100) return;
  if (Array.isArray(node)) {
    for (const [i, element] of node.entries()) visit(element, `${at}[${i}]`, visitor, depth + 1);
  } else if (isObject(node)) {
    for (const key of Object.keys(node)) {
      const next = at === '' ? key : `${at}.${key}`;
      if (visitor(key, node[key], next)) visit(node[key], next, visitor, depth + 1);
    }
  }
}

interface SdkCopy {
  readonly what: Cargo;
  /** Parameters that name the other end, dotted; `[]` for elements. */
  readonly to?: readonly string[];
  readonly from?: readonly string[];
}

/** Calls that copy something to where they are made (`from` names the source), or to a place they name (`to`). */
const SDK_COPIES: Readonly<Record<string, SdkCopy>> = {
  'ec2.copysnapshot': {
    what: 'snapshot',
    from: ['SourceRegion'],
    to: ['DestinationRegion', 'DestinationOutpostArn'],
  },
  'ec2.copyimage': { what: 'image', from: ['SourceRegion'] },
  'rds.copydbsnapshot': { what: 'snapshot', from: ['SourceRegion', 'SourceDBSnapshotIdentifier'] },
  'rds.copydbclustersnapshot': {
    what: 'snapshot',
    from: ['SourceRegion', 'SourceDBClusterSnapshotIdentifier'],
  },
  'rds.createdbinstancereadreplica': {
    what: 'replica',
    from: ['SourceRegion', 'SourceDBInstanceIdentifier'],
  },
  'rds.startdbinstanceautomatedbackupsreplication': { what: 'backup', from: ['SourceDBInstanceArn'] },
  'rds.startexporttask': { what: 'snapshot', to: ['S3BucketName'] },
  'docdb.copydbclustersnapshot': {
    what: 'snapshot',
    from: ['SourceRegion', 'SourceDBClusterSnapshotIdentifier'],
  },
  'neptune.copydbclustersnapshot': { what: 'snapshot', from: ['SourceDBClusterSnapshotIdentifier'] },
  'redshift.enablesnapshotcopy': { what: 'snapshot', to: ['DestinationRegion'] },
  'fsx.copybackup': { what: 'backup', from: ['SourceRegion'] },
  'backup.startcopyjob': { what: 'backup', to: ['DestinationBackupVaultArn'] },
  's3.putbucketreplication': { what: 'object', to: ['ReplicationConfiguration.Rules[].Destination.Bucket'] },
  'dynamodb.createglobaltable': { what: 'replica', to: ['ReplicationGroup[].RegionName'] },
  'dynamodb.updateglobaltable': { what: 'replica', to: ['ReplicaUpdates[].Create.RegionName'] },
  'dynamodb.updatetable': { what: 'replica', to: ['ReplicaUpdates[].Create.RegionName'] },
  'dynamodb.exporttabletopointintime': { what: 'backup', to: ['S3Bucket'] },
  'secretsmanager.replicatesecrettoregions': { what: 'secret', to: ['AddReplicaRegions[].Region'] },
  'secretsmanager.createsecret': { what: 'secret', to: ['AddReplicaRegions[].Region'] },
  'kms.replicatekey': { what: 'key', to: ['ReplicaRegion'] },
  'ecr.putreplicationconfiguration': {
    what: 'image',
    to: ['replicationConfiguration.rules[].destinations[].region'],
  },
  'efs.createreplicationconfiguration': { what: 'replica', to: ['Destinations[].Region'] },
};

/** An AWS SDK call of the CDK's `AwsCustomResource`. */
export function readSdkCall(text: string, reading: Reading): readonly Found[] {
  const call = parsed(text);
  if (!isObject(call)) {
    const why = reading.resolver.tokens.why(text);
    return why === null ? [] : [{ to: unknownEnd(why), at: '' }];
  }
  const service = scalar(own(call, 'service') ?? '')
    .replace(/^@aws-sdk\/client-/, '')
    .replace(/[^a-z0-9]/gi, '')
    .toLowerCase();
  const action = scalar(own(call, 'action') ?? '').replace(/Command$/, '');
  const copy = SDK_COPIES[`${service}.${action.toLowerCase()}`];
  const parameters = own(call, 'parameters');
  const here = own(call, 'region');
  const stack = ownEnd(reading.stack);
  // A role of another account makes the call in that account.
  const role = own(call, 'assumedRoleArn');
  const account = (typeof role === 'string' ? placeOf('arn', role, reading)?.account : null) ?? stack.account;
  const made =
    typeof here === 'string'
      ? { ...filled(NOWHERE, placeOf('region', here, reading) ?? NOWHERE), account }
      : undefined;
  if (copy === undefined) {
    if (made === undefined) return [];
    // Any other call in another region: its parameters go there, or its answer comes from there.
    const ends = /^(get|describe|list)/i.test(action) ? { from: made, to: stack } : { from: stack, to: made };
    return [{ ...ends, what: 'metadata', at: 'region' }];
  }
  const found: Found[] = [];
  for (const [side, paths] of [
    ['from', copy.from ?? []],
    ['to', copy.to ?? []],
  ] as const) {
    for (const path of paths) {
      for (const [value, at] of pick(parameters, path.split('.'), 'parameters')) {
        const place = placeOf(formOf(path), value, reading);
        if (place === undefined) continue;
        const other = made ?? stack;
        found.push(
          side === 'to'
            ? { from: other, to: place, what: copy.what, at }
            : { from: place, to: other, what: copy.what, at },
        );
      }
      // A source named by region and by ARN is one source.
      if (found.length > 0 && side === 'from') break;
    }
  }
  return found;
}

function formOf(path: string): 'region' | 'bucket' | 'arn' {
  if (/region(name)?$/i.test(path)) return 'region';
  return /bucket(name)?$/i.test(path) && !/vault/i.test(path) ? 'bucket' : 'arn';
}

/** Values at a path of parameters, whose names people write with either case of the first letter. */
function pick(node: unknown, path: readonly string[], at: string): [string, string][] {
  if (path.length === 0) return typeof node === 'string' ? [[node, at]] : [];
  if (!isObject(node)) return [];
  const [head = '', ...rest] = path;
  const name = head.replace('[]', '');
  const key = Object.keys(node).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  if (key === undefined) return [];
  const value = (node as PlainObject)[key];
  if (!head.endsWith('[]')) return pick(value, rest, `${at}.${key}`);
  return Array.isArray(value) ? value.flatMap((element, i) => pick(element, rest, `${at}.${key}[${i}]`)) : [];
}

/** Regions and buckets of the sinks of an OpenSearch Ingestion pipeline, whose body is YAML in a text. */
export function readPipeline(text: string, reading: Reading): readonly Found[] {
  const found: Found[] = [];
  let sinkIndent: number | undefined;
  for (const line of text.split(/\r?\n/)) {
    const match = /^(\s*)(?:-\s+)*["']?([A-Za-z0-9_]+)["']?\s*:\s*(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const [, space = '', key, rest = ''] = match;
    const indent = space.length;
    if (sinkIndent !== undefined && indent <= sinkIndent && !line.trimStart().startsWith('-'))
      sinkIndent = undefined;
    if (key === 'sink') sinkIndent = indent;
    if (sinkIndent === undefined || (key !== 'region' && key !== 'bucket')) continue;
    const value = rest.replace(/\s+#.*$/, '').replace(/^["']|["']$/g, '');
    const to = placeOf(key === 'region' ? 'region' : 'bucket', value, reading);
    if (to !== undefined) found.push({ to, at: `sink.${key}` });
  }
  if (found.length === 0 && !isLiteral(text) && reading.resolver.tokens.lone(text) !== undefined) {
    return [{ to: unknownEnd(reading.resolver.tokens.why(text) ?? 'the pipeline is not known'), at: '' }];
  }
  return found;
}
