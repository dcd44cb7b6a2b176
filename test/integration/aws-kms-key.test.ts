import type { KeyringNode } from '@aws-crypto/client-node';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import type * as Module from '../../lambda/archive/kms-key';
import { bundled } from '../support/bundled';
import { type Fault, type FaultProxy, startFaultProxy } from '../support/fault-proxy';
import { useMoto } from '../support/moto';

// Both from one bundle: the SDK tells its own classes by identity.
const { kmsKey, buildClient, CommitmentPolicy } = bundled<
  typeof Module & typeof import('@aws-crypto/client-node')
>('test/integration/kms-with-client.ts');
const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const moto = useMoto();
const credentials = {
  provide: async () => ({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'not-a-secret' }),
  renew: () => {
    renewed += 1;
  },
};
let renewed = 0;
let proxy: FaultProxy;
let admin: KMSClient;

beforeAll(async () => {
  proxy = await startFaultProxy(moto().endpoint);
  admin = new KMSClient({
    region: 'eu-central-1',
    endpoint: moto().endpoint,
    credentials: await credentials.provide(),
  });
});
afterAll(() => proxy.stop());
beforeEach(() => {
  proxy.fault = () => undefined;
  proxy.calls.length = 0;
  renewed = 0;
});

async function newKey(): Promise<string> {
  const { KeyMetadata } = await admin.send(new CreateKeyCommand({}));
  return KeyMetadata!.Arn!;
}
const open = (arn: string): KeyringNode => kmsKey({ arn, credentials, endpoint: proxy.endpoint }).keyring;
const context = { tenant: 'acme', regime: 'eu' };
const closed = async (arn: string) =>
  (await encrypt(open(arn), 'rows', { encryptionContext: context })).result;

test('what was closed opens again, and every call states the context', async () => {
  const arn = await newKey();
  const message = await closed(arn);
  expect((await decrypt(open(arn), message)).plaintext.toString()).toBe('rows');
  expect(proxy.calls.map((call) => call.name)).toEqual(['KMS GenerateDataKey', 'KMS Decrypt']);
});

test("another key is refused by name, without asking KMS with the archive's own idea of a key", async () => {
  const first = await newKey();
  const second = await newKey();
  const message = await closed(first);
  proxy.calls.length = 0;
  await expect(decrypt(open(second), message)).rejects.toThrow(
    `was not written under ${second} but under ${first}`,
  );
  expect(proxy.calls).toEqual([]);
});

test.each(['alias/archives', 'arn:aws:kms:eu-central-1:123456789012:alias/a', '', 'abc'])(
  'anything but the ARN of a key is refused: %p',
  (arn) => {
    expect(() => kmsKey({ arn })).toThrow('must be the ARN of a KMS key');
  },
);

test('a disabled key and one that is pending deletion say what to do', async () => {
  const arn = await newKey();
  const message = await closed(arn);
  // The stand-in knows no states of keys that matter here: the service's answers are given in its place.
  proxy.fault = () => ({ status: 400, code: 'DisabledException' });
  await expect(closed(arn)).rejects.toThrow('the key is disabled: enable it');
  proxy.fault = () => ({ status: 400, code: 'KMSInvalidStateException' });
  await expect(decrypt(open(arn), message)).rejects.toThrow('CANCEL ITS DELETION NOW');
});

test.each<[string, Fault, RegExp]>([
  ['a refusal', { status: 400, code: 'AccessDeniedException' }, /session tag `tenant` names this tenant/],
  ['a changed archive', { status: 400, code: 'InvalidCiphertextException' }, /does not open this archive/],
  ['an unknown key', { status: 400, code: 'NotFoundException' }, /no such key in that account and region/],
])('%s says what to do and carries no stack', async (_, fault, message) => {
  const arn = await newKey();
  const archive = await closed(arn);
  proxy.fault = () => fault;
  for (const attempt of [closed(arn), decrypt(open(arn), archive)]) {
    const error = await attempt.then(
      () => undefined,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ exitCode: 3, message: expect.stringMatching(message) });
    expect(error.message).toContain(arn);
    expect(error.message).not.toMatch(/\n\s+at /);
  }
});

test.each<Fault>([
  { status: 400, code: 'ThrottlingException' },
  { status: 500, code: 'KMSInternalException' },
  'cut',
])('KMS is asked again after %j', async (fault) => {
  const arn = await newKey();
  let left = 1;
  proxy.fault = () => (left-- > 0 ? fault : undefined);
  const message = await closed(arn);
  left = 1;
  expect((await decrypt(open(arn), message)).plaintext.toString()).toBe('rows');
});

test('KMS that falls silent is asked again', async () => {
  const arn = await newKey();
  let left = 1;
  proxy.fault = () => (left-- > 0 ? 'silent' : undefined);
  const { keyring } = kmsKey({ arn, credentials, endpoint: proxy.endpoint, idleMillis: 2_000 });
  const { result } = await encrypt(keyring, 'rows', { encryptionContext: context });
  expect((await decrypt(open(arn), result)).plaintext.toString()).toBe('rows');
  expect(proxy.calls.filter((call) => call.name === 'KMS GenerateDataKey')).toHaveLength(2);
});

test('expired credentials are fetched anew once', async () => {
  const arn = await newKey();
  let left = 1;
  proxy.fault = () => (left-- > 0 ? { status: 400, code: 'ExpiredTokenException' } : undefined);
  await closed(arn);
  expect(renewed).toBe(1);
});
