import fc from 'fast-check';
import type { AuditResult } from '../../lib/residency/model';
import { auditOf, HOME, lines, planTo, replicatedBucketTo, secretTo, template, vaultArn } from './template';

const regionsOf = (result: AuditResult) => result.edges.map(({ to }) => to.region);

/** Where a secret goes whose replica region is the expression. */
function resolved(expression: unknown, sections: object = {}): (string | null)[] {
  return regionsOf(auditOf(template({ S: secretTo(expression) }, { sections })));
}

describe('every function that can be worked out', () => {
  const sections = {
    Parameters: {
      Region: { Type: 'String', Default: 'us-east-1' },
      Regions: { Type: 'CommaDelimitedList', Default: 'us-east-1, us-west-2' },
      Open: { Type: 'String' },
      One: { Type: 'String', AllowedValues: ['us-east-2'] },
      Ssm: { Type: 'AWS::SSM::Parameter::Value<String>', Default: 'us-east-1' },
    },
    Mappings: { Stage: { prod: { Dr: 'us-west-1' }, 'eu-west-1': { Dr: 'ap-south-1' } } },
    Conditions: { Prod: { 'Fn::Equals': ['a', 'b'] } },
  };
  test.each<[string, unknown, (string | null)[]]>([
    ['Ref', { Ref: 'Region' }, ['us-east-1']],
    ['a parameter without default', { Ref: 'Open' }, [null]],
    ['a parameter with one allowed value', { Ref: 'One' }, ['us-east-2']],
    ['a parameter of Systems Manager', { Ref: 'Ssm' }, [null]],
    ['a dynamic reference', '{{resolve:ssm:/dr/region}}', [null]],
    ['Ref of the own region', { Ref: 'AWS::Region' }, []],
    ['Ref of nothing', { Ref: 'Nowhere' }, [null]],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation writes it so
    ['Sub', { 'Fn::Sub': '${Region}' }, ['us-east-1']],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation writes it so
    ['Sub with variables', { 'Fn::Sub': ['us-${Side}-1', { Side: 'west' }] }, ['us-west-1']],
    ['Join', { 'Fn::Join': ['-', ['us', 'east', '2']] }, ['us-east-2']],
    ['Select', { 'Fn::Select': [1, { Ref: 'Regions' }] }, ['us-west-2']],
    ['Select beyond the end', { 'Fn::Select': ['7', ['a']] }, [null]],
    ['Split', { 'Fn::Select': ['1', { 'Fn::Split': ['/', 'x/us-east-2/y'] }] }, ['us-east-2']],
    ['FindInMap', { 'Fn::FindInMap': ['Stage', 'prod', 'Dr'] }, ['us-west-1']],
    [
      'FindInMap by the own region',
      { 'Fn::FindInMap': ['Stage', { Ref: 'AWS::Region' }, 'Dr'] },
      ['ap-south-1'],
    ],
    ['FindInMap without entry', { 'Fn::FindInMap': ['Stage', 'test', 'Dr'] }, [null]],
    [
      'FindInMap with default',
      { 'Fn::FindInMap': ['Stage', 'x', 'Dr', { DefaultValue: 'us-east-2' }] },
      ['us-east-2'],
    ],
    ['If', { 'Fn::If': ['Prod', 'us-east-1', 'us-west-2'] }, ['us-east-1', 'us-west-2']],
    [
      'If with nothing on one side',
      { 'Fn::If': ['Prod', { Ref: 'AWS::NoValue' }, 'us-west-2'] },
      ['us-west-2'],
    ],
    ['Fn::Transform', { 'Fn::Transform': { Name: 'Region' } }, [null]],
    ['an empty text', '', []],
    ['a call written wrongly', { 'Fn::Join': 'x' }, [null]],
  ])('%s', (_name, expression, expected) => {
    expect(resolved(expression, sections)).toEqual(expected);
  });

  test('a list by reference counts element by element', () => {
    const aggregator = {
      Type: 'AWS::Cassandra::Keyspace',
      Properties: { ReplicationSpecification: { RegionList: { Ref: 'Regions' } } },
    };
    const result = auditOf(template({ K: aggregator }, { sections }));
    expect(lines(result.edges)).toEqual([
      'replica eu-west-1 -> us-east-1 violation',
      'replica eu-west-1 -> us-west-2 violation',
    ]);
  });

  test('parts of an ARN that AWS gives can be taken apart', () => {
    const part = (i: number) => ({
      'Fn::Select': [i, { 'Fn::Split': [':', { 'Fn::GetAtt': ['Vault', 'BackupVaultArn'] }] }],
    });
    const arn = { 'Fn::Join': ['', ['arn:aws:backup:', part(3), ':', part(4), ':backup-vault:x']] };
    const result = auditOf(template({ P: planTo(arn), Vault: { Type: 'AWS::Backup::BackupVault' } }));
    expect(result.edges).toEqual([]);
  });
});

describe('conditions', () => {
  test('two branches of one condition are never mixed', () => {
    const dr = (yes: string, no: string) => ({ 'Fn::If': ['C', yes, no] });
    const arn = {
      'Fn::Join': [
        ':',
        [
          'arn:aws:backup',
          dr('us-east-1', 'eu-west-3'),
          dr('222222222222', '333333333333'),
          'backup-vault:v',
        ],
      ],
    };
    const { edges } = auditOf(template({ P: planTo(arn) }));
    expect(edges.map(({ to }) => `${to.region} ${to.account}`)).toEqual([
      'us-east-1 222222222222',
      'eu-west-3 333333333333',
    ]);
  });

  test('a condition and its negation exclude each other', () => {
    const sections = { Conditions: { C: {}, NotC: { 'Fn::Not': [{ Condition: 'C' }] } } };
    const nested = { 'Fn::If': ['C', { 'Fn::If': ['NotC', 'us-east-1', 'eu-west-3'] }, 'eu-central-1'] };
    expect(resolved(nested, sections)).toEqual(['eu-west-3', 'eu-central-1']);
  });

  test('a resource with a condition has only that branch', () => {
    const secret = { ...secretTo({ 'Fn::If': ['C', 'eu-west-3', 'us-east-1'] }), Condition: 'C' };
    expect(regionsOf(auditOf(template({ S: secret })))).toEqual(['eu-west-3']);
  });

  test('a list that depends on a condition', () => {
    const secret = {
      Type: 'AWS::SecretsManager::Secret',
      Properties: { ReplicaRegions: { 'Fn::If': ['C', [{ Region: 'us-east-1' }], { Ref: 'AWS::NoValue' }] } },
    };
    const { edges } = auditOf(template({ S: secret }));
    expect(edges.map(({ propertyPath }) => propertyPath)).toEqual(['ReplicaRegions[0].Region']);
  });
});

describe('across templates', () => {
  const far = { region: 'us-east-1', account: HOME.account };

  test("exports are found in the importer's own region", () => {
    const exporter = (region: string) =>
      template(
        {},
        {
          region,
          path: `${region}.json`,
          sections: { Outputs: { O: { Value: vaultArn('us-west-2'), Export: { Name: 'vault' } } } },
        },
      );
    const importer = template({ P: planTo({ 'Fn::ImportValue': 'vault' }) });
    expect(lines(auditOf([importer, exporter('eu-west-1')]).edges)).toEqual([
      'backup eu-west-1 -> us-west-2 violation',
    ]);
    expect(lines(auditOf([importer, exporter('us-east-1')]).edges)).toEqual([
      'backup eu-west-1 -> null undetermined',
    ]);
    expect(lines(auditOf([importer]).edges)).toEqual(['backup eu-west-1 -> null undetermined']);
  });

  test('an output of a stack in another region', () => {
    const vaults = template(
      { V: { Type: 'AWS::Backup::BackupVault' } },
      {
        ...far,
        stack: 'dr',
        path: 'dr.json',
        sections: { Outputs: { Arn: { Value: { 'Fn::GetAtt': 'V.BackupVaultArn' } } } },
      },
    );
    const output = { 'Fn::GetStackOutput': { StackName: 'dr', OutputName: 'Arn', Region: 'us-east-1' } };
    expect(lines(auditOf([template({ P: planTo(output) }), vaults]).edges)).toEqual([
      'backup eu-west-1 -> us-east-1 violation',
    ]);
  });

  test('buckets are joined by name, by reference and by the policy', () => {
    const bucket = template(
      { B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'acme-far' } } },
      { ...far, path: 'b.json' },
    );
    const source = (name: string) => template({ S: replicatedBucketTo(`arn:aws:s3:::${name}`) });
    expect(lines(auditOf([source('acme-far'), bucket]).edges)).toEqual([
      'object eu-west-1 -> us-east-1 violation',
    ]);
    expect(lines(auditOf([source('acme-else'), bucket]).edges)).toEqual([
      'object eu-west-1 -> null undetermined',
    ]);
    const places = { buckets: { 'acme-else': 'eu-central-1' }, globalClusters: {} };
    expect(lines(auditOf([source('acme-else')], { places }).edges)).toEqual([
      'object eu-west-1 -> eu-central-1 allowed',
    ]);
  });

  test('nested stacks get their parameters and give their outputs', () => {
    const inner = template(
      { S: secretTo({ Ref: 'Dr' }), V: { Type: 'AWS::Backup::BackupVault' } },
      {
        path: 'inner.json',
        sections: {
          Parameters: { Dr: { Type: 'String' } },
          Outputs: {
            Away: {
              Value: {
                'Fn::Sub': ['arn:aws:backup:$' + '{R}:111111111111:backup-vault:v', { R: { Ref: 'Dr' } }],
              },
            },
          },
        },
      },
    );
    const outer = template(
      {
        N: {
          Type: 'AWS::CloudFormation::Stack',
          Properties: { TemplateURL: 'x', Parameters: { Dr: 'us-east-1' } },
        },
        P: planTo({ 'Fn::GetAtt': ['N', 'Outputs.Away'] }),
      },
      { nested: { N: inner } },
    );
    const result = auditOf(outer);
    expect(lines(result.edges)).toEqual([
      'backup eu-west-1 -> us-east-1 violation',
      'secret eu-west-1 -> us-east-1 violation',
    ]);
    expect(result.summary).toMatchObject({ templates: 2, resources: 4 });
    expect(result.findings).toEqual([]);
  });

  test('values that need each other are a finding, not a hang', () => {
    const side = (path: string, mine: string, other: string) =>
      template(
        { P: planTo({ 'Fn::ImportValue': other }) },
        {
          path,
          sections: { Outputs: { O: { Value: { 'Fn::ImportValue': other }, Export: { Name: mine } } } },
        },
      );
    const result = auditOf([side('a.json', 'a', 'b'), side('b.json', 'b', 'a')]);
    expect(lines(result.edges)).toEqual(Array(2).fill('backup eu-west-1 -> null undetermined'));
    expect(result.findings.map(({ rule, severity }) => `${rule} ${severity}`)).toContain(
      'circular-reference error',
    );
  });
});

test('loops are unrolled', () => {
  const result = auditOf(
    template(
      {
        'Fn::ForEach::Secrets': [
          'Region',
          { Ref: 'Drs' },
          { 'Secret&{Region}': secretTo({ Ref: 'Region' }) },
        ],
      },
      {
        sections: {
          Transform: 'AWS::LanguageExtensions',
          Parameters: { Drs: { Type: 'CommaDelimitedList', Default: 'us-east-1,eu-west-3' } },
        },
      },
    ),
  );
  expect(result.edges.map(({ logicalId, to }) => `${logicalId} ${to.region}`)).toEqual([
    'Secretuseast1 us-east-1',
    'Secreteuwest3 eu-west-3',
  ]);
});

test('a stack whose region nobody knows keeps its own region its own', () => {
  const secret = secretTo({ Ref: 'AWS::Region' }, 'us-east-1');
  const { edges } = auditOf(template({ S: secret }, { region: null, account: null }));
  expect(lines(edges)).toEqual(['secret null -> us-east-1 undetermined']);
});

describe('properties', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/);

  /** Ways to write a text that all mean the text. */
  const written = (text: string): fc.Arbitrary<unknown> =>
    fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 5, withCrossShrink: true },
        fc.constant(text),
        tie('any').map((inner) => ({ 'Fn::Join': ['', [inner]] })),
        tie('any').map((inner) => ({ 'Fn::Select': ['1', ['decoy', inner]] })),
        tie('any').map((inner) => ({ 'Fn::Sub': ['$' + '{V}', { V: inner }] })),
        tie('any').map((inner) => ({ 'Fn::If': ['C', inner, inner] })),
        fc.nat(text.length).map((at) => ({ 'Fn::Join': ['', [text.slice(0, at), text.slice(at)]] })),
      ),
    })).any;

  test('however a region is written, it is the same region', () => {
    fc.assert(
      fc.property(
        fc
          .constantFrom('us-east-1', 'eu-west-3', 'ap-south-2')
          .chain((region) => fc.tuple(fc.constant(region), written(region))),
        ([region, expression]) => {
          expect(resolved(expression)).toEqual([region]);
        },
      ),
    );
  });

  test('splitting and joining by the same delimiter gives the text back', () => {
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('-', ':', '/', '--'),
        (parts, delimiter) => {
          const text = parts.join(delimiter);
          const expression = { 'Fn::Join': [delimiter, { 'Fn::Split': [delimiter, text] }] };
          // An unknown region is refused by its name: the name shows what was resolved.
          expect(resolved(expression)).toEqual([text]);
        },
      ),
    );
  });

  test('any JSON at all where a template has a value: no crash, no hang, the same bytes twice', () => {
    const wild = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(
          'us-east-1',
          'C',
          '',
          'arn:aws:backup:::',
          '\uE0000\uE001',
          '$' + '{A.B}',
          '{{resolve:ssm:x}}',
        ),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom(
            'Ref',
            'Fn::If',
            'Fn::Sub',
            'Fn::Join',
            'Fn::GetAtt',
            'Fn::Select',
            'Fn::Split',
            'Fn::FindInMap',
            'Fn::ImportValue',
            'Fn::ForEach::x',
            'Region',
            '__proto__',
            'constructor',
            'toString',
          ),
          tie('any'),
          { maxKeys: 2 },
        ),
      ),
    })).any;
    fc.assert(
      fc.property(wild, wild, wild, (value, list, section) => {
        const resources = {
          S: secretTo(value),
          T: { Type: 'AWS::SecretsManager::Secret', Properties: { ReplicaRegions: list } },
          U: { Type: 'AWS::Backup::BackupPlan', Properties: section },
        };
        const sections = { Parameters: section, Mappings: list, Conditions: section, Outputs: list };
        const once = JSON.stringify(auditOf(template(resources, { sections })));
        expect(JSON.stringify(auditOf(template(resources, { sections })))).toBe(once);
        // Nothing of our own marks gets out.
        expect(once).not.toMatch(/[\uE000\uE001]/);
      }),
      { numRuns: 400 },
    );
  });
});
