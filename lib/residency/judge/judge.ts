import { findRegion } from '../../regime/lookup';
import { type End, partitionOfEnd } from '../edge/end';
import type { RawEdge } from '../edge/find';
import type { Cargo, Edge, Place, Verdict } from '../model';
import type { AuditPolicy, TransferException } from '../policy';
import { isLiteral } from '../resolve/text';
import { isoDay } from './dates';
import type { Regimes } from './regimes';

/** Names of the rules, which people put in their filters: never change one. */
export const RULES: Readonly<Record<string, string>> = {
  'same-regime': 'The data stays in its privacy regime.',
  exception: 'A dated, directed transfer exception covers the transfer.',
  'unresolved-place': 'A place cannot be worked out from the inputs.',
  'ambiguous-regime': 'An environment may belong to several regimes that judge the transfer differently.',
  'cross-regime': 'Data or a key leaves its privacy regime.',
  'unknown-region': 'A region is not in the catalogue: it is refused, never guessed.',
  'no-regime': 'A region belongs to no privacy regime.',
  'cross-partition': 'AWS copies nothing between partitions.',
};

interface Judgement {
  readonly verdict: Verdict;
  readonly rule: string;
  /** Why, and what to do: the end of the sentence. */
  readonly because: string;
}

const THINGS: Readonly<Record<Cargo, string>> = {
  backup: 'backups',
  snapshot: 'snapshots',
  replica: 'a live replica',
  key: 'key material',
  secret: 'a secret',
  image: 'images',
  log: 'logs',
  event: 'events',
  metadata: 'metadata',
  object: 'objects',
};

export class Judge {
  public constructor(
    private readonly policy: AuditPolicy,
    private readonly regimes: Regimes,
    private readonly now: Date,
  ) {}

  public edge(raw: RawEdge): Edge {
    const { stack, resource } = raw;
    const judged = this.judge(raw.from, raw.to, raw.what);
    return {
      verdict: judged.verdict,
      rule: judged.rule,
      template: stack.input.path,
      stack: stack.name,
      logicalId: resource.logicalId,
      constructPath: resource.constructPath,
      resourceType: resource.type,
      propertyPath: shown(raw.propertyPath),
      what: raw.what,
      from: judged.from,
      to: judged.to,
      message: `${resource.logicalId} sends ${THINGS[raw.what]} from ${at(judged.from)} to ${at(judged.to)}: ${judged.because}`,
    };
  }

  private judge(from: End, to: End, what: Cargo): Judgement & { from: Place; to: Place } {
    const source = place(from);
    const target = place(to);
    const homes = source.region === null ? [] : this.regimes.of(source.region, source.account);
    const home = homes.length === 1 ? homes[0]! : null;
    const sides = {
      from: { ...source, regime: home },
      to: { ...target, regime: this.usualRegime(target, home) },
    };
    if (source.partition !== null && target.partition !== null && source.partition !== target.partition) {
      const walls = `${source.partition} and ${target.partition}`;
      return {
        ...sides,
        verdict: 'impossible',
        rule: 'cross-partition',
        because: `this is impossible, because AWS copies nothing between the partitions ${walls}; export and import the data by a process of your own, if it may leave at all.`,
      };
    }
    if (target.country !== undefined && source.region !== null) {
      const judged = this.byCountry(source.region, target.country, homes, what);
      const regime = home === null ? null : this.regimeReaching(home, target.country, what);
      return { ...sides, to: { ...sides.to, regime }, ...judged };
    }
    for (const [side, end] of [
      [source, from],
      [target, to],
    ] as const) {
      if (side.region === null) return { ...sides, ...unresolved(end) };
    }
    for (const { region } of [source, target]) {
      if (findRegion(region!) === undefined) return { ...sides, ...unknownRegion(region!) };
    }
    return { ...sides, ...this.amongRegimes(source, target, homes, what) };
  }

  /** Every pair of regimes that the two places may be in has to give the same verdict. */
  private amongRegimes(source: Place, target: Place, homes: readonly string[], what: Cargo): Judgement {
    if (homes.length === 0) return outside(source.region!);
    const judged = homes.flatMap((home) => {
      const targets = this.regimes.ofDestination(target.region!, target.account, home);
      if (targets.length === 0) return [outside(target.region!)];
      return targets.map((regime) => this.between(home, regime, what));
    });
    return agreed(homes, judged);
  }

  /** A place outside AWS: only its country is known, by declaration. */
  private byCountry(from: string, country: string, homes: readonly string[], what: Cargo): Judgement {
    if (findRegion(from) === undefined) return unknownRegion(from);
    if (homes.length === 0) return outside(from);
    return agreed(
      homes,
      homes.map((home) => this.intoCountry(home, country, what)),
    );
  }

  private intoCountry(home: string, country: string, what: Cargo): Judgement {
    const reached = this.regimes.countriesOf(home);
    if (reached.includes(country)) {
      return {
        verdict: 'allowed',
        rule: 'same-regime',
        because: `the regime ${home} reaches ${country}, which is declared to be its country.`,
      };
    }
    return this.leaving(
      this.exceptionsInto(home, country, what),
      `it leaves the regime ${home} for ${country}`,
      `choose a provider in ${reached.join(', ')}, or record an exception from ${home} to a regime that reaches ${country} in the policy.`,
    );
  }

  /** The regime by which something may be in a country: its own, else that of the exception. */
  private regimeReaching(home: string, country: string, what: Cargo): string | null {
    if (this.regimes.countriesOf(home).includes(country)) return home;
    return this.exceptionsInto(home, country, what).find((one) => !this.expired(one))?.to ?? null;
  }

  private exceptionsInto(home: string, country: string, what: Cargo): readonly TransferException[] {
    return this.exceptionsFrom(home, what).filter(({ to }) => this.regimes.countriesOf(to).includes(country));
  }

  private between(home: string, regime: string, what: Cargo): Judgement {
    if (this.regimes.contains(home, regime)) {
      return { verdict: 'allowed', rule: 'same-regime', because: `both are in the regime ${home}.` };
    }
    const inside = this.regimes.regionsOf(home).join(', ');
    return this.leaving(
      this.exceptionsFrom(home, what).filter(({ to }) => to === regime),
      `it leaves the regime ${home} for ${regime}`,
      `choose a region of ${home} (${inside}), or record an exception from ${home} to ${regime} in the policy.`,
    );
  }

  private exceptionsFrom(home: string, what: Cargo): readonly TransferException[] {
    return this.policy.exceptions.filter(
      (one) => one.from === home && (one.what === undefined || one.what.includes(what)),
    );
  }

  /** What leaves a regime is a violation unless one of the exceptions that would cover it is still valid. */
  private leaving(exceptions: readonly TransferException[], leaves: string, instead: string): Judgement {
    const valid = exceptions.find((one) => !this.expired(one));
    if (valid !== undefined) {
      return {
        verdict: 'excepted',
        rule: 'exception',
        because: `the exception "${valid.instrument}", approved by ${valid.approvedBy}, covers it until ${valid.expires}.`,
      };
    }
    const late = exceptions[0];
    const expired =
      late === undefined ? '' : `, and the exception "${late.instrument}" expired on ${late.expires}`;
    return { verdict: 'violation', rule: 'cross-regime', because: `${leaves}${expired}; ${instead}` };
  }

  private expired(exception: TransferException): boolean {
    return exception.expires < isoDay(this.now);
  }

  private usualRegime(target: Place, home: string | null): string | null {
    if (target.region === null) return null;
    const regimes =
      home === null
        ? this.regimes.of(target.region, target.account)
        : this.regimes.ofDestination(target.region, target.account, home);
    return regimes.length === 1 ? regimes[0]! : null;
  }
}

/** Every regime that the environment may be in has to give the same verdict. */
function agreed(homes: readonly string[], judged: readonly Judgement[]): Judgement {
  if (judged.every(({ verdict }) => verdict === judged[0]!.verdict)) return judged[0]!;
  return {
    verdict: 'undetermined',
    rule: 'ambiguous-regime',
    because: `several regimes (${homes.join(', ')}) may hold the environment and judge this differently; say under "assign" of the policy which one it belongs to.`,
  };
}

function place(end: End): Place {
  return {
    region: end.region !== null && isLiteral(end.region) ? end.region : null,
    account: end.account !== null && isLiteral(end.account) ? end.account : null,
    partition: partitionOfEnd(end),
    regime: null,
    ...(end.country === undefined ? {} : { country: end.country }),
  };
}

function unresolved(end: End): Judgement {
  const why = end.why ?? 'the region is not known; give it with --region or in the stack';
  return {
    verdict: 'undetermined',
    rule: 'unresolved-place',
    because: `it cannot be judged, because ${shown(why)}.`,
  };
}

const unknownRegion = (region: string): Judgement => ({
  verdict: 'violation',
  rule: 'unknown-region',
  because: `"${region}" is no region of the catalogue, and an unknown region is refused; correct the name, or update the tool if the region is new.`,
});

const outside = (region: string): Judgement => ({
  verdict: 'violation',
  rule: 'no-regime',
  because: `${region} belongs to no regime of the catalogue or the policy; add it to one in the policy, or choose another region.`,
});

function at({ region, account, country }: Place): string {
  if (country !== undefined) return `a provider in ${country}, outside AWS`;
  const where = region ?? 'a place that is not known';
  return account === null ? where : `${where} (account ${account})`;
}

/** A mark in a text for people. */
const shown = (text: string) => text.replace(/\uE000[0-9a-z]+\uE001/g, '(unknown)');
