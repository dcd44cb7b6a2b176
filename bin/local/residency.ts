import { UsageError } from '../errors.js';
import { type KeyChoice, LOCAL_REGIME } from './options.js';

/**
 * S3's own addresses, those of VPC endpoints included: there the region says where the bucket is. What else is under
 * AWS's names, such as an API or a load balancer, may be anybody's and lead anywhere.
 */
const AWS_HOST =
  /(^|\.)s3(-[a-z0-9-]+)?(\.dualstack)?(\.[a-z]{2,}(-[a-z]+)+-\d)?(\.vpce)?\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)$/;

interface Options {
  readonly regime: string;
  readonly policy?: string;
  /** Under which the archives are: those in AWS KMS are in a region, too. */
  readonly kmsKey?: readonly KeyChoice[];
}

/** Where archives, or a key that opens them, would be. */
interface Destination {
  readonly what: 'backup' | 'key';
  readonly name: string;
  /** Of AWS; of other providers the country alone is known. */
  readonly region?: string;
  readonly country?: string;
}

/**
 * Refuses to bring archives of a regime into a bucket where that regime does not reach, or under a key in AWS KMS that is
 * there, unless a dated exception of the policy covers it: AWS by the region, other providers by the country that was
 * declared. Of a folder nobody knows where it is, and archives without a regime are bound to no place.
 */
export async function checkResidency(
  { regime, policy: file, kmsKey = [] }: Options,
  ...places: string[]
): Promise<void> {
  const buckets = places.filter((place) => place.startsWith('s3://'));
  const keys = kmsKey.flatMap((choice) => ('kms' in choice ? [choice.kms] : []));
  if (regime === LOCAL_REGIME) {
    if (file !== undefined)
      throw new UsageError('--policy says where archives of a regime may be; say which by --regime');
    return;
  }
  if (buckets.length + keys.length === 0 && file === undefined) return;
  const [{ readPolicyFile }, { Regimes }, { isoDay }] = await Promise.all([
    import('../audit/policy-file.js'),
    import('../../lib/residency/judge/regimes.js'),
    import('../../lib/residency/judge/dates.js'),
  ]);
  const { policy } = readPolicyFile(file);
  const regimes = new Regimes(policy);
  if (buckets.length + keys.length > 0 && regimes.regionsOf(regime).length === 0)
    throw new UsageError(
      `--regime ${regime} is no regime of the catalogue${file === undefined ? '; give the --policy that defines it' : ' or of the policy'}`,
    );
  const today = isoDay(new Date());
  const destinations = [
    ...(await Promise.all(buckets.map((bucket) => bucketOf(bucket, regime)))),
    ...(await Promise.all(keys.map(kmsKeyOf))),
  ];
  for (const { what, name, region, country } of destinations) {
    const reaches = (id: string) =>
      region === undefined
        ? regimes.countriesOf(id).includes(country!)
        : regimes.regionsOf(id).includes(region);
    if (reaches(regime)) continue;
    const covering = policy.exceptions.filter(
      (each) =>
        each.from === regime && reaches(each.to) && (each.what === undefined || each.what.includes(what)),
    );
    if (covering.some(({ expires }) => expires >= today)) continue;
    const allowed = region === undefined ? regimes.countriesOf(regime) : regimes.regionsOf(regime);
    const late = covering[0]
      ? `, and the exception "${covering[0].instrument}" expired on ${covering[0].expires}`
      : '';
    throw new UsageError(
      `archives of regime ${regime} would be kept ${what === 'key' ? 'under a key ' : ''}in ${region ?? `country ${country}`} (${name}), where the regime does not reach${late}: ` +
        `use a ${what === 'key' ? 'key' : 'store'} in ${allowed.join(', ')}, or give a --policy with a dated exception${what === 'key' ? ' for `key`' : ''}`,
    );
  }
}

async function bucketOf(url: string, regime: string): Promise<Destination> {
  const { configuredStore } = await import('../../lambda/archive/configured-store.js');
  const { region, country, endpoint } = await configuredStore(url);
  // What stands behind it may be a secret.
  const [name] = url.split('?') as [string];
  if (endpoint === undefined || AWS_HOST.test(new URL(endpoint).hostname))
    return { what: 'backup', name, region };
  if (country === undefined)
    throw new UsageError(
      `the store ${name} is at another provider (${new URL(endpoint).host}) and does not say in which country, so whether archives of regime ${regime} may be there is not known; add &country=FR, as the provider states it`,
    );
  return { what: 'backup', name, country };
}

async function kmsKeyOf(arn: string): Promise<Destination> {
  const { regionOfKey } = await import('../../lambda/archive/kms-key.js');
  return { what: 'key', name: arn, region: regionOfKey(arn) };
}
