import { DeclarationError } from '../errors';
import { defaultRegimeOf, findRegime, findRegion } from './lookup';
import { REGIMES, type RegimeRecord } from './regime-table';
import { isUnresolved, regionProblem } from './region-check';

/** What a regime of your own is made of. */
export interface CustomRegimeProps {
  /**
   * Name for people, in messages and reports.
   *
   * @default - the id
   */
  readonly name?: string;

  /** The regions between which data may move, all of one partition. */
  readonly regions: string[];

  /**
   * The body of law or the contract that makes these regions one regime, for reports.
   *
   * @default 'defined by the customer'
   */
  readonly law?: string;
}

/**
 * A group of AWS regions that one body of law treats alike: data may be copied between them, and never out of them.
 *
 * The catalogue is a policy default, not legal advice. A region's prefix says nothing about its law (`eu-west-2` is the
 * United Kingdom, `eu-central-2` Switzerland), and an adequacy decision never merges two regimes: declare a
 * `TransferException` for that.
 */
export class PrivacyRegime {
  private static readonly made = new Map<string, PrivacyRegime>();

  /** United States (commercial regions): `us-east-1`, `us-east-2`, `us-west-1`, `us-west-2`. */
  public static readonly US = PrivacyRegime.catalogued('us');

  /** United States GovCloud: `us-gov-east-1`, `us-gov-west-1`. */
  public static readonly US_GOV = PrivacyRegime.catalogued('us-gov');

  /**
   * European Union and EEA: `eu-central-1`, `eu-west-1`, `eu-west-3`, `eu-north-1`, `eu-south-1`,
   * `eu-south-2`.
   */
  public static readonly EU = PrivacyRegime.catalogued('eu');

  /** AWS European Sovereign Cloud: `eusc-de-east-1`. One region: there is no second one to copy to. */
  public static readonly EU_SOVEREIGN = PrivacyRegime.catalogued('eu-sovereign');

  /**
   * Germany: `eu-central-1`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to
   * copy to.
   */
  public static readonly DE = PrivacyRegime.catalogued('de');

  /**
   * France: `eu-west-3`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to copy
   * to.
   */
  public static readonly FR = PrivacyRegime.catalogued('fr');

  /**
   * Ireland: `eu-west-1`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to
   * copy to.
   */
  public static readonly IE = PrivacyRegime.catalogued('ie');

  /**
   * Italy: `eu-south-1`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to copy
   * to.
   */
  public static readonly IT = PrivacyRegime.catalogued('it');

  /**
   * Spain: `eu-south-2`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to copy
   * to.
   */
  public static readonly ES = PrivacyRegime.catalogued('es');

  /**
   * Sweden: `eu-north-1`. A strict part of `PrivacyRegime.EU`. One region: there is no second one to
   * copy to.
   */
  public static readonly SE = PrivacyRegime.catalogued('se');

  /** United Kingdom: `eu-west-2`. One region: there is no second one to copy to. */
  public static readonly UK = PrivacyRegime.catalogued('uk');

  /** Switzerland: `eu-central-2`. One region: there is no second one to copy to. */
  public static readonly CH = PrivacyRegime.catalogued('ch');

  /** Canada: `ca-central-1`, `ca-west-1`. */
  public static readonly CA = PrivacyRegime.catalogued('ca');

  /**
   * Quebec: `ca-central-1`. A strict part of `PrivacyRegime.CA`. One region: there is no second one to
   * copy to.
   */
  public static readonly CA_QC = PrivacyRegime.catalogued('ca-qc');

  /** Australia: `ap-southeast-2`, `ap-southeast-4`. */
  public static readonly AU = PrivacyRegime.catalogued('au');

  /** New Zealand: `ap-southeast-6`. One region: there is no second one to copy to. */
  public static readonly NZ = PrivacyRegime.catalogued('nz');

  /** Japan: `ap-northeast-1`, `ap-northeast-3`. */
  public static readonly JP = PrivacyRegime.catalogued('jp');

  /** South Korea: `ap-northeast-2`. One region: there is no second one to copy to. */
  public static readonly KR = PrivacyRegime.catalogued('kr');

  /** India: `ap-south-1`, `ap-south-2`. */
  public static readonly IN = PrivacyRegime.catalogued('in');

  /** Singapore: `ap-southeast-1`. One region: there is no second one to copy to. */
  public static readonly SG = PrivacyRegime.catalogued('sg');

  /** Indonesia: `ap-southeast-3`. One region: there is no second one to copy to. */
  public static readonly ID = PrivacyRegime.catalogued('id');

  /** Malaysia: `ap-southeast-5`. One region: there is no second one to copy to. */
  public static readonly MY = PrivacyRegime.catalogued('my');

  /** Thailand: `ap-southeast-7`. One region: there is no second one to copy to. */
  public static readonly TH = PrivacyRegime.catalogued('th');

  /** Hong Kong: `ap-east-1`. One region: there is no second one to copy to. */
  public static readonly HK = PrivacyRegime.catalogued('hk');

  /** Taiwan: `ap-east-2`. One region: there is no second one to copy to. */
  public static readonly TW = PrivacyRegime.catalogued('tw');

  /** Mainland China: `cn-north-1`, `cn-northwest-1`. */
  public static readonly CN = PrivacyRegime.catalogued('cn');

  /** Brazil: `sa-east-1`. One region: there is no second one to copy to. */
  public static readonly BR = PrivacyRegime.catalogued('br');

  /** Mexico: `mx-central-1`. One region: there is no second one to copy to. */
  public static readonly MX = PrivacyRegime.catalogued('mx');

  /** South Africa: `af-south-1`. One region: there is no second one to copy to. */
  public static readonly ZA = PrivacyRegime.catalogued('za');

  /** Israel: `il-central-1`. One region: there is no second one to copy to. */
  public static readonly IL = PrivacyRegime.catalogued('il');

  /** United Arab Emirates: `me-central-1`. One region: there is no second one to copy to. */
  public static readonly AE = PrivacyRegime.catalogued('ae');

  /** Bahrain: `me-south-1`. One region: there is no second one to copy to. */
  public static readonly BH = PrivacyRegime.catalogued('bh');

  /**
   * A regime of your own, say by contract: `PrivacyRegime.of('acme-dach', { regions: ['eu-central-1', 'eu-central-2'] })`.
   *
   * @param id lower-case letters, digits and dashes; not the id of a regime of the catalogue
   * @throws when the id is malformed or taken, or the regions are empty, unknown, repeated or of several partitions
   */
  public static of(id: string, props: CustomRegimeProps): PrivacyRegime {
    const problems: string[] = [];
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id) || id.length > 32) {
      problems.push('the id must be at most 32 lower-case letters, digits and single dashes, a letter first');
    }
    if (findRegime(id)) {
      problems.push(
        `the catalogue has a regime of this id (use PrivacyRegime.fromId('${id}'), or another id)`,
      );
    }
    if (props.regions.length === 0) problems.push('regions is empty, name at least one');
    for (const region of props.regions) {
      const problem = regionProblem(region);
      if (problem) problems.push(`region '${region}' ${problem}`);
    }
    const repeated = props.regions.filter((region, index) => props.regions.indexOf(region) !== index);
    for (const region of new Set(repeated)) problems.push(`region '${region}' is listed more than once`);
    const partitions = new Set(props.regions.flatMap((region) => findRegion(region)?.partition ?? []));
    if (partitions.size > 1) {
      problems.push(
        `its regions are of several partitions (${[...partitions].join(', ')}), between which no AWS copy is possible; ` +
          'declare one regime for each',
      );
    }
    if (problems.length > 0) throw new DeclarationError(`privacy regime '${id}': ${problems.join('; ')}`);
    return new PrivacyRegime({
      id,
      name: props.name ?? id,
      law: props.law ?? 'defined by the customer',
      regions: props.regions,
      confirmed: true,
    });
  }

  /**
   * The catalogue's regime with this id, as in `eu` or `us-gov`.
   *
   * @throws when the catalogue has no confirmed regime of this id
   */
  public static fromId(id: string): PrivacyRegime {
    const known = PrivacyRegime.catalogue().find((regime) => regime.id === id);
    if (known) return known;
    const ids = PrivacyRegime.catalogue().map((regime) => regime.id);
    throw new DeclarationError(
      `privacy regime '${id}' is not in the catalogue; it has ${ids.join(', ')}. ` +
        `Declare your own with PrivacyRegime.of('${id}', { regions: [...] })`,
    );
  }

  /**
   * The widest regime of the catalogue that holds the region: `eu-central-1` gives `PrivacyRegime.EU`, not `DE`.
   *
   * @throws when the region is unknown, known only at deployment, or in no confirmed regime
   */
  public static forRegion(region: string): PrivacyRegime {
    const problem = regionProblem(region);
    if (problem) {
      throw new DeclarationError(`region ${isUnresolved(region) ? '' : `'${region}' `}${problem}`);
    }
    const record = defaultRegimeOf(region);
    if (record) return PrivacyRegime.fromId(record.id);
    throw new DeclarationError(
      `region '${region}' is in no confirmed regime of the catalogue. ` +
        `Declare your own with PrivacyRegime.of('my-regime', { regions: ['${region}'] })`,
    );
  }

  /** Every confirmed regime of the catalogue, in the catalogue's order. */
  public static catalogue(): PrivacyRegime[] {
    return REGIMES.filter((record) => record.confirmed).map((record) => PrivacyRegime.catalogued(record.id));
  }

  private static catalogued(id: string): PrivacyRegime {
    const existing = PrivacyRegime.made.get(id);
    if (existing) return existing;
    const regime = new PrivacyRegime(findRegime(id)!);
    PrivacyRegime.made.set(id, regime);
    return regime;
  }

  /** Short and stable: part of names, object keys and reports. */
  public readonly id: string;

  /** Name for people. */
  public readonly name: string;

  /** The law behind it, for reports. */
  public readonly law: string;

  /** The partition all its regions are in: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`. */
  public readonly partition: string;

  /** The id of the wider regime of which this is a strict part: `eu` for `de`; undefined for the others. */
  public readonly within?: string;

  private readonly members: readonly string[];

  private constructor(record: RegimeRecord) {
    this.id = record.id;
    this.name = record.name;
    this.law = record.law;
    this.within = record.within;
    this.members = record.regions;
    this.partition = findRegion(record.regions[0])!.partition;
  }

  /** The regions between which data may move. */
  public get regions(): string[] {
    return [...this.members];
  }

  /** Whether the regime has one region only, so that nothing can be copied to a second one inside it. */
  public get isSoleRegion(): boolean {
    return this.members.length === 1;
  }

  /** Whether the region belongs to this regime. False for a region that is unknown or known only at deployment. */
  public contains(region: string): boolean {
    return !isUnresolved(region) && this.members.includes(region);
  }

  /**
   * A part of this regime, under an id of your own: `PrivacyRegime.EU.narrow('acme-eu', ['eu-central-1', 'eu-west-1'])`.
   *
   * @throws when a region is not in this regime
   */
  public narrow(id: string, regions: string[]): PrivacyRegime {
    const outside = regions.filter((region) => !this.contains(region));
    if (outside.length > 0) {
      throw new DeclarationError(
        `privacy regime '${id}' cannot be a part of '${this.id}': ${outside.join(', ')} ` +
          `${outside.length === 1 ? 'is' : 'are'} not in it; it has ${this.members.join(', ')}`,
      );
    }
    return PrivacyRegime.of(id, { regions, law: this.law, name: `${this.name}, part of` });
  }

  /** Its name and id, for messages. */
  public toString(): string {
    return `${this.name} (${this.id})`;
  }
}
