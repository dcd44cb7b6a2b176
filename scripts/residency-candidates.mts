// The properties of the installed AWS specification that could carry a region, an account, a replica or a destination.
// `node scripts/residency-candidates.mts` lists those that lib/residency/data/properties.json does not decide yet, with
// their documentation; `--all` lists every candidate. The names are only a net: a row may exist without being caught.
import { readFileSync } from 'node:fs';
import { loadAwsServiceSpecSync } from '@aws-cdk/aws-service-spec';
import type { Property, PropertyType } from '@aws-cdk/service-spec-types';

export interface SpecProperty {
  readonly type: string;
  /** As in the rows: `[]` for elements and `{}` for values of a map, none at the end. */
  readonly path: string;
  readonly kind: string;
  readonly documentation: string;
}

const WIDEST_RECURSION = 12;

/** Every property of every resource type, to any depth. */
export function specProperties(): ReadonlyMap<string, SpecProperty> {
  const spec = loadAwsServiceSpecSync();
  const found = new Map<string, SpecProperty>();
  const visitAll = (type: string, properties: Record<string, Property>, prefix: string, above: string[]) => {
    for (const [name, property] of Object.entries(properties)) {
      visit(type, property.type, `${prefix}${name}`, property, above);
    }
  };
  const visit = (type: string, value: PropertyType, path: string, property: Property, above: string[]) => {
    if (value.type === 'array') return visit(type, value.element, `${path}[]`, property, above);
    if (value.type === 'map') return visit(type, value.element, `${path}{}`, property, above);
    if (value.type === 'union') {
      record(type, path, 'union', property);
      for (const member of value.types) {
        if (!['string', 'number', 'integer', 'boolean', 'json'].includes(member.type)) {
          visit(type, member, path, property, above);
        }
      }
      return;
    }
    if (value.type !== 'ref') return record(type, path, value.type, property);
    record(type, path, 'object', property);
    const id = value.reference.$ref;
    if (above.includes(id) || above.length > WIDEST_RECURSION) return;
    visitAll(type, spec.get('typeDefinition', id).properties, `${path}.`, [...above, id]);
  };
  const record = (type: string, path: string, kind: string, property: Property) => {
    const bare = path.replace(/(\[\]|\{\})+$/, '');
    const key = `${type} ${bare}`;
    const known = found.get(key);
    if (known !== undefined && (kind === 'union' || kind === 'object')) return;
    const documentation = property.documentation ?? known?.documentation ?? '';
    found.set(key, {
      type,
      path: bare,
      kind: path === bare ? kind : `${kind} in a list or map`,
      documentation,
    });
  };
  for (const resource of spec.all('resource'))
    visitAll(resource.cloudFormationType, resource.properties, '', []);
  return found;
}

/** Why a property is a candidate; undefined where nothing about it says so. */
export function candidateReason({ type, path, kind }: SpecProperty): string | undefined {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const base = kind.replace(/ .*/, '');
  if (base === 'tag' || LOOK_ALIKES.test(name)) return undefined;
  if (/region/i.test(name)) return 'its name says region';
  if (['integer', 'number', 'date-time'].includes(base)) return undefined;
  if (/account/i.test(name)) return 'its name says account';
  if (POLICIES.test(name)) return 'it is a policy';
  if (base === 'object') return undefined;
  if (/replica|Replication/.test(name)) return 'its name says replica';
  if (/destination/i.test(name)) return 'its name says destination';
  if (/witness|peer|cross|global|bucket|S3Uri|S3Url|S3Path|snapshot(arn|id)|OwnerId/i.test(name)) {
    return 'its name says bucket, snapshot, owner, peer, witness or global';
  }
  if (base === 'boolean') {
    return CARRIERS.test(type) && CARRIER_SWITCHES.test(name)
      ? 'it widens a type that carries data away'
      : undefined;
  }
  if (/role_?arn$/i.test(name)) return undefined;
  if (ENDS.test(name)) return 'its name says source or target';
  if (IN_DESTINATION.test(path) && PLACES.test(name)) return 'it is a place inside a destination';
  if (CARRIERS.test(type) && CARRIER_PLACES.test(name))
    return 'it is a place in a type that carries data away';
  return undefined;
}

/** Names that contain one of the words and never hold a place: addresses, ports, prefixes, settings. */
const LOOK_ALIKES = new RegExp(
  `^(${[
    'DestinationParameterName|DestinationRefId',
    'Destination(Cidr|Ipv6Cidr|PrefixList|SecurityGroup|Port|Phone|Address|Ip$)\\w*|\\w*DestinationSettings',
    'BucketPrefix|BucketNamePrefix|BucketFolder|BucketColumns|BucketKeyEnabled|S3BucketPrefix|S3BucketFolder',
    'RestrictPublicBuckets|\\w*Service_?Account\\w*|RfRegion|NoRegionalBlackoutFlag',
    'PeerAddress|BgpPeerId|PeerLivenessDetection|\\w*SandPGlobal\\w*',
  ].join('|')})$`,
);

const POLICIES =
  /^(Policy|PolicyDocument|\w*PolicyText|KeyPolicy|Resource(Policy|PolicyDocument)|AccessPolic(y|ies)|FileSystemPolicy|DestinationPolicy|DeliveryDestinationPolicy)$/;

const ENDS =
  /^(source|target|primary|secondary|origin|remote|external|upstream)\w*(arns?|identifier|location|region|url|uri)$/i;

const IN_DESTINATION =
  /destination|replica|crossregion|cross_region|copyaction|export|deliver|sink|multiregion|globaltable/i;
const PLACES = /(arns?|url|uri|hosts?|hostname|endpoint|location|kms\w*|target|clusters?)$/i;

/** Types whose purpose is to carry something somewhere else: here any name that could be a place counts. */
const CARRIERS = new RegExp(
  `^AWS::((${['Backup|CloudTrail|DLM|DataSync|DMS|Events|Pipes|Scheduler|Oam|OSIS|RAM|KinesisFirehose'].join(
    '|',
  )})::|(${[
    'SNS::Subscription|CloudWatch::MetricStream|Lambda::EventSourceMapping|Lambda::Permission|MSK::Replicator',
    'FSx::FileSystem|FSx::DataRepositoryAssociation|FSx::FileCache|Transfer::Connector|Bedrock::Agent',
    'Bedrock::ApplicationInferenceProfile|Organizations::Policy|EFS::FileSystem|ECR::ReplicationConfiguration',
    'AppFlow::Flow|Synthetics::Canary|OpenSearchService::Application|LakeFormation::PrincipalPermissions',
    'SecurityLake::Subscriber',
  ].join('|')})$)`,
);
const CARRIER_PLACES =
  /(arns?|ur[il]|host|hostname|endpoint|servername|locations?|path|source|target|principals?|principal\w*identifier|owner|route|content|model|body|copyfrom|connectortype|vaults?|filesystemid|registryid|backupid|zonename|sinkidentifier)$/i;
const CARRIER_SWITCHES = /(isorganizationtrail|organizationenabled|allowexternalprincipals)$/i;

export function candidates(): readonly SpecProperty[] {
  return [...specProperties().values()].filter((property) => candidateReason(property) !== undefined);
}

function main(): void {
  const rows: { type: string; path: string }[] = JSON.parse(
    readFileSync('lib/residency/data/properties.json', 'utf8'),
  );
  const decided = new Set(rows.map(({ type, path }) => `${type} ${path}`));
  const all = candidates();
  const open = all.filter(({ type, path }) => !decided.has(`${type} ${path}`));
  for (const property of process.argv.includes('--all') ? all : open) {
    const documentation = property.documentation.replace(/\s+/g, ' ').slice(0, 200);
    console.log(`${property.type} ${property.path} (${property.kind}; ${candidateReason(property)})`);
    if (documentation !== '') console.log(`    ${documentation}`);
  }
  console.error(`${all.length} candidates, ${open.length} not decided`);
  process.exitCode = open.length === 0 ? 0 : 1;
}

if (process.argv[1]?.endsWith('residency-candidates.mts')) main();
