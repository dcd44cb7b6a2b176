import { UsageError } from '../errors.js';
import { LOCAL_REGIME } from './options.js';

/**
 * S3's own addresses, those of VPC endpoints included: there the region says where the bucket is. What else is under
 * AWS's names, such as an API or a load balancer, may be anybody's and lead anywhere.
 */
const AWS_HOST =
  /(^|\.)s3(-[a-z0-9-]+)?(\.dualstack)?(\.[a-z]{2,}(-[a-z]+)+-\d)?(\.vpce)?\.(amazonaws\.com(\.cn)?|amazonaws\.eu|api\.aws)$/;

interface Options {
  readonly regime: string;
  readonly policy?: string;
}

/**
 * Refuses to bring archives of a regime into a bucket where that regime does not reach, unless a dated exception of the
 * policy covers it: AWS by the bucket's region, other providers by the country that was declared. Of a folder nobody
 * knows where it is, and archives without a regime are bound to no place.
 */
export async function checkResidency({ regime, policy: file }: Options, ...places: string[]): Promise<void> {
  const buckets = places.filter((place) => place.startsWith('s3://'));
  if (regime === LOCAL_REGIME) {
    if (file !== undefined)
      throw new UsageError('--policy says where archives of a regime may be; say which by --regime');
    return;
  }
  if (buckets.length === 0 && file === undefined) return;
  const [{ configuredStore }, { readPolicyFile }, { Regimes }, { isoDay }] = await Promise.all([
    import('../../lambda/archive/configured-store.js'),
    import('../audit/policy-file.js'),
    import('../../lib/residency/judge/regimes.js'),
    import('../../lib/residency/judge/dates.js'),
  ]);
  const { policy } = readPolicyFile(file);
  const regimes = new Regimes(policy);
  if (buckets.length > 0 && regimes.regionsOf(regime).length === 0)
    throw new UsageError(
      `--regime ${regime} is no regime of the catalogue${file === undefined ? '; give the --policy that defines it' : ' or of the policy'}`,
    );
  const today = isoDay(new Date());
  for (const bucket of buckets) {
    const { region, country, endpoint } = await configuredStore(bucket);
    const abroad = endpoint !== undefined && !AWS_HOST.test(new URL(endpoint).hostname);
    if (abroad && country === undefined)
      throw new UsageError(
        `the store ${bucket.split('?')[0]} is at another provider (${new URL(endpoint).host}) and does not say in which country, so whether archives of regime ${regime} may be there is not known; add &country=FR, as the provider states it`,
      );
    const reaches = (id: string) =>
      abroad ? regimes.countriesOf(id).includes(country!) : regimes.regionsOf(id).includes(region);
    if (reaches(regime)) continue;
    const covering = policy.exceptions.filter(
      ({ from, to, what }) =>
        from === regime && reaches(to) && (what === undefined || what.includes('backup')),
    );
    if (covering.some(({ expires }) => expires >= today)) continue;
    const allowed = abroad ? regimes.countriesOf(regime) : regimes.regionsOf(regime);
    const late = covering[0]
      ? `, and the exception "${covering[0].instrument}" expired on ${covering[0].expires}`
      : '';
    throw new UsageError(
      `archives of regime ${regime} would be kept in ${abroad ? `country ${country}` : region} (${bucket.split('?')[0]}), where the regime does not reach${late}: ` +
        `use a store in ${allowed.join(', ')}, or give a --policy with a dated exception`,
    );
  }
}
