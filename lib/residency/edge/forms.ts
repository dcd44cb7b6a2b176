/** How a value names a place: one reader for each form of model.ts. */
import { findRegion } from '../../regime/lookup';
import type { PropertyForm } from '../model';
import type { Resolver } from '../resolve/resolver';
import { isLiteral, leadingMarkLength } from '../resolve/text';
import { parseArn } from './arn';
import type { Buckets } from './buckets';
import { type End, NOWHERE, unknownEnd } from './end';
import { named, type Place } from './named';

export interface Reading extends Place {
  readonly buckets: Buckets;
}

/** The place that a text names; undefined where it names none (an empty text, a switch that is off). */
export function placeOf(form: PropertyForm, text: string, reading: Reading): End | undefined {
  if (text.trim() === '') return undefined;
  switch (form) {
    case 'region':
      return region(text, reading);
    case 'az':
      return zone(text, reading);
    case 'account':
      return account(text, reading);
    case 'bucket':
      return reading.buckets.placeOf(text, reading);
    case 's3-uri':
      return s3Uri(text, reading);
    case 'host':
      return host(text, reading);
    case 'model':
      return model(text, reading);
    case 'arn':
    case 'kms-key':
      return arn(text, reading);
    default:
      return undefined;
  }
}

const EVERYWHERE = /^(\*|all|all[_-]regions?|aws::allregions|all_regions_except_specified)$/i;

function region(text: string, { resolver }: Reading): End {
  const inArn = parseArn(text);
  const name = inArn === undefined ? text.trim() : inArn.region;
  if (EVERYWHERE.test(name)) return unknownEnd(`"${name}" stands for every region`);
  const partition = inArn === undefined ? null : inArn.partition;
  const named = isLiteral(name) || resolver.tokens.lone(name) !== undefined;
  if (named && isRegionText(name, resolver)) return { ...NOWHERE, region: name, partition };
  return unknownEnd(resolver.tokens.why(name) ?? 'the region is not known');
}

/** A region's name, or the mark of a stack's own region. */
function isRegionText(text: string, resolver: Resolver): boolean {
  return isLiteral(text) || resolver.tokens.lone(text)?.kind === 'region';
}

const ZONE = /^([a-z]{2,4}(?:-[a-z]+)+-\d+)(?:-[a-z]+-\d+)?[a-z]$/;

function zone(text: string, { resolver }: Reading): End {
  const match = ZONE.exec(text);
  if (match !== null && findRegion(match[1]!) !== undefined) return { ...NOWHERE, region: match[1]! };
  const mark = leadingMarkLength(text);
  if (mark > 0 && text.length === mark + 1 && resolver.tokens.leading(text)?.kind === 'region') {
    return { ...NOWHERE, region: text.slice(0, mark) };
  }
  return unknownEnd(resolver.tokens.why(text) ?? `the region of zone ${text} is not known`);
}

function account(text: string, { resolver, stack }: Reading): End | undefined {
  const inArn = parseArn(text);
  const id = inArn === undefined ? text.trim() : inArn.account;
  if (/^self$/i.test(id)) return undefined;
  if (/^\d{1,12}$/.test(id)) return { ...NOWHERE, account: id.padStart(12, '0') };
  if (id === stack.account) return { ...NOWHERE, account: id };
  const why = resolver.tokens.why(id) ?? `${inArn === undefined ? text : id} names no single account`;
  return { ...NOWHERE, account: resolver.tokens.unknown(why) };
}

/**
 * An ARN, or something in place of one: a resource of a template is where its stack is; another name or id is in the
 * stack's own place; what is open from its first character on is unknown.
 */
function arn(text: string, reading: Reading): End {
  const { resolver, stack, buckets } = reading;
  const parsed = parseArn(text);
  if (parsed !== undefined) {
    if (parsed.service === 's3' && parsed.region === '') return buckets.placeOf(text, reading);
    // An integration of API Gateway: the function's own ARN is inside.
    const inner = parsed.service === 'apigateway' ? parsed.resource.indexOf('arn:') : -1;
    if (inner >= 0) return arn(parsed.resource.slice(inner), reading);
    // A service without regions: the thing is as near as anything of the stack.
    const inRegion = parsed.region === '' ? stack.region : parsed.region;
    return {
      region: isRegionText(inRegion, resolver) ? inRegion : null,
      // Not every ARN has an account there: `aws` for what AWS owns, a service's name in an integration.
      account: isLiteral(parsed.account) && !/^\d+$/.test(parsed.account) ? null : parsed.account,
      partition: isLiteral(parsed.partition) ? parsed.partition : null,
      why: resolver.tokens.why(inRegion),
    };
  }
  return named(text, reading);
}

const S3_HOST =
  /^(?:https?:\/\/)?(?:(.+)\.)?s3(?:-website)?(?:[.-](?:dualstack\.)?([^./]+))?\.amazonaws\.[a-z.]+(?:\/([^/]*))?/i;

function s3Uri(text: string, reading: Reading): End {
  const uri = /^s3[an]?:\/\/([^/]*)/i.exec(text);
  if (uri !== null) return reading.buckets.placeOf(uri[1]!, reading);
  const url = S3_HOST.exec(text);
  if (url !== null) {
    const [, virtual, inRegion, path] = url;
    const joined = reading.buckets.placeOf(virtual ?? path ?? '', reading);
    if (inRegion !== undefined && isRegionText(inRegion, reading.resolver))
      return { ...joined, region: inRegion };
    return joined;
  }
  if (/^https?:/i.test(text)) return host(text, reading);
  return reading.buckets.placeOf(text.split('/')[0]!, reading);
}

function host(text: string, reading: Reading): End {
  const { resolver } = reading;
  if (text.startsWith('arn:')) return arn(text, reading);
  const name = text
    .replace(/^(?:[a-z0-9+.-]+:)*\/\//i, '')
    .replace(/^[^/@]*@/, '')
    .split(/[/?#:;,]/)[0]!;
  const labels = name.split('.');
  const atAws =
    /(^|\.)(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws|on\.aws|api\.amazonwebservices\.com\.cn)$/i.test(
      name,
    );
  for (const label of labels) {
    if (resolver.tokens.lone(label)?.kind === 'region') return { ...NOWHERE, region: label };
    if (!atAws && resolver.tokens.all(name).length === 0) continue;
    const known = [label, label.replace(/^s3(-website)?-/, '')].find(
      (part) => findRegion(part) !== undefined,
    );
    if (known !== undefined) return { ...NOWHERE, region: known };
  }
  const leading = resolver.tokens.leading(name);
  if (leading?.kind === 'resource' && resolver.tokens.lone(name) !== undefined) return named(name, reading);
  const why = resolver.tokens.why(name);
  if (why !== null) return unknownEnd(why);
  return unknownEnd(atAws ? `${name} names no region` : `${name} is outside AWS`);
}

const GEOGRAPHIES =
  /^(global|us|us-gov|eu|apac|ap|jp|au|nz|ca|uk|ch|in|kr|sg|br|sa|mx|me|af|il|za|amer|emea|latam)\.[a-z0-9-]+\./;

function model(text: string, reading: Reading): End {
  const id = text.slice(text.lastIndexOf('/') + 1);
  if (GEOGRAPHIES.test(id))
    return unknownEnd(`the cross-region profile ${id} runs in regions that AWS chooses`);
  return arn(text, reading);
}
