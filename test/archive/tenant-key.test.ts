import fc from 'fast-check';
import { checkTenant } from '../../lambda/archive/names';
import { tenantKey, tenantOfKey } from '../../lambda/archive/tenant-key';

const unicode = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

test('a tenant key leads back to the name', () => {
  fc.assert(fc.property(unicode, (name) => expect(tenantOfKey(tenantKey(name))).toBe(name)));
});

test('different names have keys that differ even where case is folded', () => {
  fc.assert(
    fc.property(unicode, unicode, (a, b) => {
      fc.pre(a !== b);
      expect(tenantKey(a).toLowerCase()).not.toBe(tenantKey(b).toLowerCase());
    }),
  );
  expect(tenantKey('Acme').toLowerCase()).not.toBe(tenantKey('acme'));
});

test('a key is one safe path part and holds no wildcard', () => {
  fc.assert(fc.property(unicode, (name) => expect(tenantKey(name)).toMatch(/^[a-z0-9_=A-F-]+$/)));
  expect(tenantKey('..')).toBe('=2E=2E');
});

test.each([
  ['', /empty/],
  ['a\nb', /control characters/],
  ['a\u0000', /control characters/],
  ['x'.repeat(81), /at most 80/],
  ['a\ud800', /valid Unicode/],
])('refuses the name %j', (name, message) => {
  expect(() => checkTenant(name)).toThrow(message);
});
