/** Where buckets are: their names carry no region, so they are joined with the templates that declare them. */
import { nameProperty } from '../resolve/attributes';
import { push } from '../resolve/exports';
import type { Resolver } from '../resolve/resolver';
import { has, own, type Stack } from '../resolve/stack';
import { isLiteral } from '../resolve/text';
import { parseArn } from './arn';
import { type End, NOWHERE, ownEnd, unknownEnd } from './end';
import { named, type Place } from './named';

export class Buckets {
  private byName: Map<string, Stack[]> | undefined;

  public constructor(
    private readonly resolver: Resolver,
    private readonly stacks: readonly Stack[],
    /** The policy's map of names to regions. */
    private readonly known: Readonly<Record<string, string>>,
  ) {}

  /** The place of a bucket's name or ARN, of an access point's ARN, or of a bucket's mark. */
  public placeOf(text: string, place: Place): End {
    const arn = parseArn(text);
    if (arn !== undefined && arn.region !== '') {
      const region = isLiteral(arn.region) || arn.region === place.stack.region ? arn.region : null;
      return {
        region,
        account: arn.account || null,
        partition: arn.partition,
        why: this.resolver.tokens.why(arn.region),
      };
    }
    const name = (arn === undefined ? text : arn.resource).split('/')[0]!;
    const end = this.byBucketName(name, place);
    return arn === undefined || !isLiteral(arn.partition) ? end : { ...end, partition: arn.partition };
  }

  private byBucketName(name: string, place: Place): End {
    const { tokens } = this.resolver;
    const lone = tokens.lone(name);
    if (lone?.kind === 'resource') return named(name, place);
    if (lone?.kind === 'unknown') return unknownEnd(lone.why);
    this.byName ??= this.index();
    const holders = this.byName.get(name) ?? [];
    if (holders.length > 0) {
      const first = holders[0]!;
      if (holders.every(({ region, account }) => region === first.region && account === first.account)) {
        return ownEnd(first);
      }
      return unknownEnd(`several templates in different places declare the bucket "${name}"`);
    }
    const listed = has(this.known, name) ? this.known[name] : undefined;
    if (listed !== undefined) return { ...NOWHERE, region: listed };
    const why = tokens.why(name);
    return unknownEnd(
      why === null
        ? `bucket "${name}" is in none of the templates given; name its region under places.buckets of the policy`
        : `the bucket's name is not known: ${why}`,
    );
  }

  private index(): Map<string, Stack[]> {
    const index = new Map<string, Stack[]>();
    for (const stack of this.stacks) {
      for (const resource of stack.resources.ofTypes(isBucket)) {
        const property = own(resource.properties, nameProperty(resource.type)!);
        if (property === undefined) continue;
        for (const { value } of this.resolver.texts(property, stack)) push(index, value, stack);
      }
    }
    return index;
  }
}

const isBucket = (type: string) => type === 'AWS::S3::Bucket' || type === 'AWS::S3Express::DirectoryBucket';
