import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { DeclarationError } from '../errors';
import { Cargo, type PrivacyRegime, type TransferException } from '../regime';
import { countriesOf } from '../regime/countries';
import { daysLeft } from '../regime/exception-check';

/** A bucket at another provider. */
export interface ExternalStoreProps {
  /** The provider's address, as in `https://s3.fr-par.scw.cloud`. */
  readonly endpoint: string;

  /** The bucket there. */
  readonly bucket: string;

  /** The provider's name for the bucket's region, as in `fr-par`. */
  readonly region: string;

  /**
   * The country in which the provider keeps it: two capital letters of ISO 3166, as in `FR`. The provider's word for it;
   * synthesis fails when the regime does not reach there.
   */
  readonly country: string;

  /**
   * Secret of this region with `accessKeyId` and `secretAccessKey`, which need to be allowed to add objects and nothing
   * else, and `archiveKey`, the key of the archives there: 32 random bytes as base64. Keep a copy of that key outside of
   * AWS, or the copy does not survive the loss of the account.
   */
  readonly credentials: ISecret;

  /**
   * What stands before every object's name, ending in a slash.
   *
   * @default - nothing
   */
  readonly prefix?: string;

  /**
   * How many parts the provider takes of one upload; Scaleway takes 1,000.
   *
   * @default 10000
   */
  readonly partLimit?: number;

  /**
   * Whether every part but the last must have the same size, as with Cloudflare.
   *
   * @default false
   */
  readonly equalParts?: boolean;

  /**
   * Whether the provider knows `If-None-Match`.
   *
   * @default true
   */
  readonly conditionalWrites?: boolean;

  /**
   * Dated leave to keep copies in a country that the regime does not reach.
   *
   * @default - none
   */
  readonly exceptions?: TransferException[];
}

/** Storage of another provider, for the copy that survives the loss of the AWS account. */
export class ExternalStore {
  /**
   * Any provider that speaks S3's language. Every dump is written there, too, from the same read of the database and
   * under a key of its own; a store that fails is named, and takes nothing from the other copies.
   *
   * @throws when the endpoint is not an https address, or the country not two capital letters
   */
  public static s3Compatible(props: ExternalStoreProps): ExternalStore {
    const problems: string[] = [];
    if (!/^https:\/\/[^/?#@]+\/?$/.test(props.endpoint))
      problems.push(`endpoint is '${props.endpoint}', write an address like https://s3.example.com`);
    if (!/^[A-Z]{2}$/.test(props.country))
      problems.push(`country is '${props.country}', write two capital letters, as in FR`);
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(props.bucket))
      problems.push(`bucket is '${props.bucket}', which no bucket can be called`);
    if (props.prefix !== undefined && !/^([A-Za-z0-9_.-]+\/)+$/.test(props.prefix))
      problems.push(`prefix is '${props.prefix}', write letters and digits that end in a slash`);
    const { partLimit = 10_000 } = props;
    if (!Number.isInteger(partLimit) || partLimit < 1 || partLimit > 10_000)
      problems.push(`partLimit is ${partLimit}, write a whole number from 1 to 10000`);
    if (problems.length > 0)
      throw new DeclarationError(`ExternalStore '${props.bucket}': ${problems.join('; ')}`);
    return new ExternalStore(props);
  }

  /** The country in which it is. */
  public readonly country: string;

  /** Its credentials, and the key of the archives there. */
  public readonly credentials: ISecret;

  /** How the worker is told of it; holds no secret. */
  public readonly url: string;

  /** @internal Where it is, in the words of the objectives: the provider's region is none of AWS, though it may sound so. */
  public readonly _place: { readonly name: string; readonly region: string; readonly account: string };

  private readonly exceptions: TransferException[];

  private constructor(props: ExternalStoreProps) {
    this.country = props.country;
    this.credentials = props.credentials;
    this.exceptions = props.exceptions ?? [];
    this._place = {
      name: props.bucket,
      region: `${props.country} (${props.region})`,
      account: new URL(props.endpoint).host,
    };
    const options = new URLSearchParams({
      region: props.region,
      endpoint: props.endpoint,
      country: props.country,
      'write-only': 'true',
      'part-limit': String(props.partLimit ?? 10_000),
      ...(props.equalParts ? { 'equal-parts': 'true' } : {}),
      ...(props.conditionalWrites === false ? { 'conditional-writes': 'false' } : {}),
    });
    this.url = `s3://${props.bucket}/${props.prefix ?? ''}?${options}`;
  }

  /**
   * Why archives of the regime must not be kept there; undefined when they may.
   *
   * @param regime the regime that the archives are under
   */
  public residencyProblem(regime: PrivacyRegime): string | undefined {
    const reached = countriesOf(regime);
    if (reached.includes(this.country)) return undefined;
    const allowed = this.exceptions.some(
      ({ from, to, what, expires }) =>
        from.id === regime.id &&
        countriesOf(to).includes(this.country) &&
        (what === undefined || what.includes(Cargo.BACKUP)) &&
        (daysLeft(expires, new Date()) ?? -1) >= 0,
    );
    if (allowed) return undefined;
    return (
      `archives of regime ${regime} would be kept in country ${this.country} (${this.url.split('?')[0]}), where the ` +
      `regime does not reach: use a provider in ${reached.join(', ')}, or declare a dated TransferException`
    );
  }
}
