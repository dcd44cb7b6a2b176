/** Members of a global cluster find each other by its identifier alone: a join across the templates. */
import { nameProperty } from '../resolve/attributes';
import { push } from '../resolve/exports';
import type { Resolver } from '../resolve/resolver';
import { has, own, type Resource, type Stack } from '../resolve/stack';
import { type End, NOWHERE, ownEnd, unknownEnd } from './end';

/** Which resource declares the global cluster that a member joins, and under which property the member names it. */
const DECLARATION: Readonly<Record<string, { readonly declaredBy: string; readonly member: string }>> = {
  'AWS::RDS::DBCluster': { declaredBy: 'AWS::RDS::GlobalCluster', member: 'GlobalClusterIdentifier' },
  'AWS::DocDB::DBCluster': { declaredBy: 'AWS::DocDB::GlobalCluster', member: 'GlobalClusterIdentifier' },
  'AWS::Neptune::DBCluster': { declaredBy: 'AWS::Neptune::GlobalCluster', member: 'GlobalClusterIdentifier' },
  'AWS::ElastiCache::ReplicationGroup': {
    declaredBy: 'AWS::ElastiCache::GlobalReplicationGroup',
    member: 'GlobalReplicationGroupId',
  },
  'AWS::MemoryDB::Cluster': {
    declaredBy: 'AWS::MemoryDB::MultiRegionCluster',
    member: 'MultiRegionClusterName',
  },
};

/** Only a member that holds data of its own can have these: a secondary gets them by replication. */
const MARKS_PRIMARY = ['MasterUsername', 'ManageMasterUserPassword', 'SnapshotIdentifier', 'DatabaseName'];

interface Member {
  readonly stack: Stack;
  readonly resource: Resource;
}

export class GlobalClusters {
  private index: { declared: Map<string, Stack[]>; members: Map<string, Member[]> } | undefined;

  public constructor(
    private readonly resolver: Resolver,
    private readonly stacks: readonly Stack[],
    /** The policy's map of identifiers to regions, the primary one first. */
    private readonly known: Readonly<Record<string, readonly string[]>>,
  ) {}

  /** The other members of the global cluster that a member names, as the edges between them and it. */
  public edgesOf(
    text: string,
    stack: Stack,
    resource: Resource,
  ): readonly { readonly from: End; readonly to: End }[] {
    const { declared, members } = this.lookUp();
    const id = this.identity(text);
    const family = DECLARATION[resource.type]?.declaredBy ?? resource.type;
    const key = `${family} ${id}`;
    const me = ownEnd(stack);
    const holders = declared.get(key) ?? [];
    if (holders.includes(stack)) return [];
    const others = (members.get(key) ?? []).filter(
      (member) => member.stack !== stack || member.resource.logicalId !== resource.logicalId,
    );
    const primaries = holders.length > 0 ? holders : others.filter(isPrimary).map((member) => member.stack);
    if (primaries.length > 0) return primaries.map((primary) => ({ from: ownEnd(primary), to: me }));
    const listed = has(this.known, id) ? this.known[id]! : [];
    if (listed.length > 0) return this.listedEdges(listed, me);
    // The primary itself: the members that were given report their own edges.
    if (isPrimary({ stack, resource }) && others.length > 0) return [];
    if (others.length > 0) return others.map((member) => ({ from: ownEnd(member.stack), to: me }));
    const why = this.resolver.tokens.why(text);
    const unknown = unknownEnd(
      why ??
        `no other member of global cluster "${id}" is given; name its regions under places.globalClusters`,
    );
    return [isPrimary({ stack, resource }) ? { from: me, to: unknown } : { from: unknown, to: me }];
  }

  private listedEdges([primary, ...secondaries]: readonly string[], me: End): { from: End; to: End }[] {
    if (me.region !== primary) return [{ from: { ...NOWHERE, region: primary! }, to: me }];
    return secondaries.map((region) => ({ from: me, to: { ...NOWHERE, region } }));
  }

  /** A reference to the declaring resource and the identifier written there are the same. */
  private identity(text: string): string {
    const token = this.resolver.tokens.lone(text);
    if (token?.kind !== 'resource') return text;
    const resource = token.stack.resources.get(token.logicalId)!;
    const property = nameProperty(resource.type);
    const value = property === undefined ? undefined : own(resource.properties, property);
    const texts = value === undefined ? [] : this.resolver.texts(value, token.stack);
    return texts.length === 1 ? texts[0]!.value : text;
  }

  private lookUp() {
    if (this.index !== undefined) return this.index;
    const declared = new Map<string, Stack[]>();
    const members = new Map<string, Member[]>();
    const declaringTypes = new Set(Object.values(DECLARATION).map(({ declaredBy }) => declaredBy));
    for (const stack of this.stacks) {
      for (const resource of stack.resources.ofTypes(
        (type) => declaringTypes.has(type) || has(DECLARATION, type),
      )) {
        if (declaringTypes.has(resource.type)) {
          const name = own(resource.properties, nameProperty(resource.type)!);
          const texts = name === undefined ? [] : this.resolver.texts(name, stack);
          for (const { value } of texts) push(declared, `${resource.type} ${value}`, stack);
          const mark = this.resolver.reference(resource.logicalId, stack, new Map())[0]!.value;
          push(declared, `${resource.type} ${String(mark)}`, stack);
        }
        const join = DECLARATION[resource.type];
        if (join === undefined) continue;
        const named = own(resource.properties, join.member);
        if (named === undefined) continue;
        for (const { value } of this.resolver.texts(named, stack)) {
          push(members, `${join.declaredBy} ${this.identity(value)}`, { stack, resource });
        }
      }
    }
    this.index = { declared, members };
    return this.index;
  }
}

const isPrimary = ({ resource }: Member) =>
  MARKS_PRIMARY.some((name) => own(resource.properties, name) !== undefined);
