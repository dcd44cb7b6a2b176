import { countriesOf, countriesOfRegions } from '../../regime/countries';
import { findRegime, findRegion } from '../../regime/lookup';
import { REGIMES } from '../../regime/regime-table';
import type { AuditPolicy } from '../policy';
import { has } from '../resolve/stack';

/** Which regime an environment belongs to, by the policy first and the catalogue after it. */
export class Regimes {
  public constructor(private readonly policy: AuditPolicy) {}

  public regionsOf(regime: string): readonly string[] {
    return this.policyRegime(regime)?.regions ?? findRegime(regime)?.regions ?? [];
  }

  /** The countries that a regime reaches; of one that the policy cut to size, those of the regions it left. */
  public countriesOf(regime: string): readonly string[] {
    const regions = this.regionsOf(regime);
    return this.policyRegime(regime) === undefined
      ? countriesOf({ id: regime, regions })
      : countriesOfRegions(regions);
  }

  public nameOf(regime: string): string {
    return this.policyRegime(regime)?.name ?? findRegime(regime)?.name ?? regime;
  }

  /** The regimes that an environment may belong to: one where it is clear, none where no regime holds the region. */
  public of(region: string, account: string | null): readonly string[] {
    const assigned = this.assigned(region, account);
    if (assigned !== undefined) return [assigned];
    const usual = this.claiming(region);
    if (account !== null) return usual;
    return [...new Set([...this.assignable(region), ...usual])];
  }

  /**
   * The regimes of a destination as seen from a source in `home`: what nobody assigned elsewhere belongs to `home`
   * where `home` holds its region.
   */
  public ofDestination(region: string, account: string | null, home: string): readonly string[] {
    const assigned = this.assigned(region, account);
    if (assigned !== undefined) return [assigned];
    const usual = this.regionsOf(home).includes(region) ? [home] : this.claiming(region);
    if (account !== null) return usual;
    return [...new Set([...this.assignable(region), ...usual])];
  }

  /** True when whatever is in `inner` is also in `outer`. */
  public contains(outer: string, inner: string): boolean {
    if (outer === inner) return true;
    const regions = this.regionsOf(outer);
    const part = this.regionsOf(inner);
    return part.length > 0 && part.every((region) => regions.includes(region));
  }

  private policyRegime(regime: string) {
    return has(this.policy.regimes, regime) ? this.policy.regimes[regime] : undefined;
  }

  /** What the policy says of exactly this environment, else of its region in every account. */
  private assigned(region: string, account: string | null): string | undefined {
    const keys = account === null ? [] : [`${account}/${region}`];
    for (const key of [...keys, `*/${region}`, region]) {
      if (has(this.policy.assign, key)) return this.policy.assign[key];
    }
    return undefined;
  }

  /** Regimes that some account is assigned to in this region: an account that is not known may be that one. */
  private assignable(region: string): readonly string[] {
    return Object.keys(this.policy.assign)
      .filter((key) => key.endsWith(`/${region}`))
      .map((key) => this.policy.assign[key]!);
  }

  /** The policy's own regimes that hold a region; without any, the widest of the catalogue that it left as it is. */
  private claiming(region: string): readonly string[] {
    if (findRegion(region) === undefined) return [];
    const claimed = Object.keys(this.policy.regimes).filter((id) =>
      this.policy.regimes[id]!.regions.includes(region),
    );
    if (claimed.length > 0) return claimed;
    const usual = REGIMES.find(
      ({ id, confirmed, within, regions }) =>
        confirmed && within === undefined && regions.includes(region) && this.policyRegime(id) === undefined,
    );
    return usual === undefined ? [] : [usual.id];
  }
}
