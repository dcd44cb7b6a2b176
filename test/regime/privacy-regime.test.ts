import { readFileSync } from 'node:fs';
import { Aws } from 'aws-cdk-lib';
import { PrivacyRegime } from 'cdk-sovereign-backup';
import * as fc from 'fast-check';
import { REGIMES } from '../../dist/lib/regime/regime-table';
import { REGIONS } from '../../dist/lib/regime/region-table';

const confirmed = REGIMES.filter((regime) => regime.confirmed);

describe('the catalogue', () => {
  test('every confirmed regime is a static member of its own name, and nothing else is', () => {
    const members = Object.entries(PrivacyRegime).filter(([, value]) => value instanceof PrivacyRegime);
    expect(members.map(([name, regime]) => [name, (regime as PrivacyRegime).id]).sort()).toEqual(
      confirmed.map(({ id }) => [id.toUpperCase().replaceAll('-', '_'), id]).sort(),
    );
    expect(PrivacyRegime.catalogue().map(({ id }) => id)).toEqual(confirmed.map(({ id }) => id));
  });

  test('regimes are of one partition, and strict parts lie in the wider one', () => {
    for (const regime of PrivacyRegime.catalogue()) {
      const partitions = regime.regions.map((id) => REGIONS.find((region) => region.id === id)?.partition);
      expect(new Set(partitions)).toEqual(new Set([regime.partition]));
      if (!regime.within) continue;
      const wider = PrivacyRegime.fromId(regime.within);
      expect(regime.regions.every((region) => wider.contains(region))).toBe(true);
      expect(regime.regions.length).toBeLessThan(wider.regions.length);
    }
  });

  test.each([
    ['eu-west-2', 'uk'],
    ['eu-central-2', 'ch'],
    ['eu-central-1', 'eu'],
    ['ca-central-1', 'ca'],
    ['eusc-de-east-1', 'eu-sovereign'],
    ['ap-east-1', 'hk'],
    ['cn-north-1', 'cn'],
    ['us-gov-west-1', 'us-gov'],
  ])('%s is in %s', (region, id) => {
    expect(PrivacyRegime.forRegion(region).id).toBe(id);
    expect(PrivacyRegime.forRegion(region)).toBe(PrivacyRegime.fromId(id));
  });

  test('every region belongs to at most one widest regime, and forRegion agrees with contains', () => {
    for (const { id } of REGIONS) {
      const holders = PrivacyRegime.catalogue().filter((regime) => !regime.within && regime.contains(id));
      expect(holders.length).toBeLessThanOrEqual(1);
      if (holders[0]) expect(PrivacyRegime.forRegion(id)).toBe(holders[0]);
      else expect(() => PrivacyRegime.forRegion(id)).toThrow(/no confirmed regime/);
    }
  });

  test('the manifest of the library names every member, for the other languages', () => {
    const jsii = JSON.parse(readFileSync('.jsii', 'utf8'));
    const members = jsii.types['cdk-sovereign-backup.PrivacyRegime'].properties
      .filter((property: { static?: boolean }) => property.static)
      .map((property: { name: string }) => property.name);
    expect(members.sort()).toEqual(confirmed.map(({ id }) => id.toUpperCase().replaceAll('-', '_')).sort());
  });

  test('the list of regions cannot be changed from outside', () => {
    PrivacyRegime.EU.regions.push('us-east-1');
    expect(PrivacyRegime.EU.contains('us-east-1')).toBe(false);
    expect(PrivacyRegime.EU.regions).not.toContain('us-east-1');
  });
});

describe('unknown and unresolved', () => {
  test('an unknown region is refused with the nearest known one', () => {
    expect(() => PrivacyRegime.forRegion('eu-centarl-1')).toThrow(/did you mean eu-central-1\?/);
    expect(() => PrivacyRegime.forRegion('')).toThrow(/not a region of the catalogue/);
  });

  test('a token is refused, and contained nowhere', () => {
    expect(() => PrivacyRegime.forRegion(Aws.REGION)).toThrow(/known only at deployment/);
    expect(PrivacyRegime.EU.contains(Aws.REGION)).toBe(false);
  });

  test('unknown ids name the known ones', () => {
    expect(() => PrivacyRegime.fromId('gdpr')).toThrow(/it has us, us-gov, eu, /);
    expect(() => PrivacyRegime.fromId('cl')).toThrow(/not in the catalogue/);
  });

  test('no string that is not a region of the table is in any regime', () => {
    const known = new Set(REGIONS.map(({ id }) => id));
    const prefix = fc.constantFrom(
      'us',
      'eu',
      'ap',
      'ca',
      'sa',
      'me',
      'af',
      'il',
      'mx',
      'us-gov',
      'cn',
      'eusc',
    );
    const direction = fc.constantFrom('east', 'west', 'north', 'south', 'central', 'southeast');
    const lookAlike = fc
      .tuple(prefix, direction, fc.integer({ min: 0, max: 99 }))
      .map((parts) => parts.join('-'));
    fc.assert(
      fc.property(fc.oneof(lookAlike, fc.string()), (name) => {
        fc.pre(!known.has(name));
        expect(PrivacyRegime.catalogue().some((regime) => regime.contains(name))).toBe(false);
        expect(() => PrivacyRegime.forRegion(name)).toThrow(/is not a region|known only/);
      }),
    );
  });
});

describe('regimes of one’s own', () => {
  test('hold exactly the regions they name', () => {
    const dach = PrivacyRegime.of('acme-dach', { regions: ['eu-central-1', 'eu-central-2'] });
    expect([dach.id, dach.name, dach.law, dach.partition]).toEqual([
      'acme-dach',
      'acme-dach',
      'defined by the customer',
      'aws',
    ]);
    expect(dach.contains('eu-central-2')).toBe(true);
    expect(dach.contains('eu-west-1')).toBe(false);
    expect(PrivacyRegime.EU.contains('eu-central-2')).toBe(false);
  });

  test('may take an unconfirmed region, by name', () => {
    expect(PrivacyRegime.of('acme-cl', { regions: ['sa-west-1'] }).isSoleRegion).toBe(true);
  });

  test('all problems come at once', () => {
    const attempt = () =>
      PrivacyRegime.of('EU!', {
        regions: ['eu-central-9', Aws.REGION, 'us-east-1', 'us-east-1', 'cn-north-1'],
      });
    expect(attempt).toThrow(/at most 32 lower-case/);
    expect(attempt).toThrow(/'eu-central-9' is not a region/);
    expect(attempt).toThrow(/known only at deployment/);
    expect(attempt).toThrow(/'us-east-1' is listed more than once/);
    expect(attempt).toThrow(/several partitions \(aws, aws-cn\)/);
  });

  test('cannot be empty or take the id of a catalogued one', () => {
    expect(() => PrivacyRegime.of('none', { regions: [] })).toThrow(/regions is empty/);
    expect(() => PrivacyRegime.of('eu', { regions: ['us-east-1'] })).toThrow(/fromId\('eu'\)/);
  });

  test('any choice of regions is accepted exactly when it is of one partition', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.constantFrom(...REGIONS), { minLength: 1, maxLength: 6 }), (chosen) => {
        const regions = chosen.map(({ id }) => id);
        const make = () => PrivacyRegime.of('mine', { regions });
        if (new Set(chosen.map(({ partition }) => partition)).size > 1) expect(make).toThrow(/partitions/);
        else expect(make().regions).toEqual(regions);
      }),
    );
  });

  test('narrowing never widens', () => {
    expect(PrivacyRegime.EU.narrow('acme-eu', ['eu-central-1']).regions).toEqual(['eu-central-1']);
    expect(() => PrivacyRegime.EU.narrow('acme-eu', ['eu-west-2'])).toThrow(/eu-west-2 is not in it/);
  });
});
