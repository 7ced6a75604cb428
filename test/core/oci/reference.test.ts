import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../core/base/errors.ts';
import { computeDigest, isDigest } from '../../../core/oci/digest.ts';
import { isRegistryHost, isRepository, isTag, parseReference } from '../../../core/oci/reference.ts';

const hex = 'a'.repeat(64);
const digest = `sha256:${hex}`;

describe('the grammar of references', () => {
  const good: Record<string, object> = {
    'app:1': { repository: 'app', tag: '1' },
    'team/app:1': { repository: 'team/app', tag: '1' },
    [`app@${digest}`]: { repository: 'app', digest },
    [`app:1@${digest}`]: { repository: 'app', tag: '1', digest },
    'localhost/app:1': { registry: 'localhost', repository: 'app', tag: '1' },
    'localhost:5000/app:1': { registry: 'localhost:5000', repository: 'app', tag: '1' },
    'Contoso.azurecr.io/team/app:V1': { registry: 'Contoso.azurecr.io', repository: 'team/app', tag: 'V1' },
    [`contoso.azurecr.io/a__b/c.d-e--f:_1@${digest}`]: {
      registry: 'contoso.azurecr.io',
      repository: 'a__b/c.d-e--f',
      tag: '_1',
      digest,
    },
    'localhost:5000': { repository: 'localhost', tag: '5000' },
    [`app:${'t'.repeat(128)}`]: { repository: 'app', tag: 't'.repeat(128) },
  };
  for (const [text, expected] of Object.entries(good)) {
    it(`reads ${text.slice(0, 60)}`, () => {
      const { registry, repository, tag, digest } = parseReference(text);
      assert.deepEqual(JSON.parse(JSON.stringify({ registry, repository, tag, digest })), expected);
    });
  }

  const bad = [
    '',
    'app',
    ':1',
    '@',
    `@${digest}`,
    'app:',
    'app:1:2',
    `app:${'t'.repeat(129)}`,
    'app:.1',
    'app:-1',
    'app:a/b',
    'app:1 ',
    ' app:1',
    'app:1\n',
    'App:1',
    'MyHost/app:1',
    'team//app:1',
    '/app:1',
    'app/:1',
    '../app:1',
    'team/../app:1',
    'team/./app:1',
    'team%2Fapp:1',
    'app:%2e%2e',
    'a___b:1',
    'a._b:1',
    'app-:1',
    `${'a'.repeat(256)}:1`,
    'contoso.azurecr.io/:1',
    'contoso.azurecr.io:1/',
    'contoso.azurecr.io:99999/app:1',
    '-contoso.io/app:1',
    'contoso_x.io/app:1',
    'user:word@contoso.io/app:1',
    'https://contoso.io/app:1',
    'app@sha256:abc',
    `app@sha256:${'A'.repeat(64)}`,
    `app@sha512:${'a'.repeat(128)}`,
    `app@${digest}@${digest}`,
    `app@${digest}:1`,
    `app@${digest}\n`,
    '\u0430pp:1',
    'app:1\u0000',
    'app:##vso[task.complete]',
  ];
  for (const text of bad) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(
        () => parseReference(text),
        thrown => hasCode(thrown, 'INPUT_INVALID') && thrown.message.includes(text),
      );
    });
  }

  it('counts 128 characters of a tag and 255 of a repository, and no more', () => {
    assert.deepEqual([isTag('t'.repeat(128)), isTag('t'.repeat(129)), isTag('')], [true, false, false]);
    assert.deepEqual([isRepository('r'.repeat(255)), isRepository('r'.repeat(256))], [true, false]);
  });

  it('takes a digest of sha256 in lower case alone', () => {
    assert.ok(isDigest(digest));
    for (const text of [hex, `sha256:${hex}0`, `sha256:${hex.slice(1)}`, `SHA256:${hex}`, `${digest}\n`, ` ${digest}`])
      assert.ok(!isDigest(text), text);
    // https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values: SHA-256 of nothing.
    const empty = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
    assert.equal(computeDigest(new Uint8Array()), empty);
  });

  it('takes a host that a URL can hold, and nothing that moves it elsewhere', () => {
    for (const host of ['localhost', 'LOCALHOST:5000', 'a.b-c.io', '127.0.0.1:65535']) assert.ok(isRegistryHost(host));
    const other = [
      '',
      'a.io:65536',
      'a.io:',
      'a.io/x',
      'a@b.io',
      'a.io#',
      'a.io?x',
      '[::1]:5000',
      '1.2.3.256',
      'a..io',
    ];
    for (const host of other) assert.ok(!isRegistryHost(host), host);
  });
});

describe('references made at random', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
  const separator = fc.constantFrom('.', '_', '__', '-', '---');
  const component = fc.tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 2 })).map(([first, rest]) => {
    return first + rest.flat().join('');
  });
  const repository = fc.array(component, { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'));
  const host = fc.constantFrom('localhost', 'localhost:5000', 'contoso.azurecr.io', '127.0.0.1:443');
  const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/);
  const someDigest = fc.stringMatching(/^[0-9a-f]{64}$/).map(text => `sha256:${text}`);

  it('are read as they were put together', () => {
    fc.assert(
      fc.property(
        fc.record({
          registry: fc.option(host, { nil: undefined }),
          repository,
          tag: fc.option(tag, { nil: undefined }),
        }),
        fc.option(someDigest, { nil: undefined }),
        (parts, digest) => {
          fc.pre(parts.tag !== undefined || digest !== undefined);
          // Without a registry in front a first part with a dot would be one, as Docker reads it.
          fc.pre(parts.registry !== undefined || !/^[^/]*\.[^/]*\//.test(parts.repository));
          fc.pre(parts.registry !== undefined || !parts.repository.startsWith('localhost/'));
          const { registry, repository, tag } = parts;
          const text = `${registry ? `${registry}/` : ''}${repository}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`;
          assert.deepEqual(parseReference(text), { registry, repository, tag, digest });
        },
      ),
      { numRuns: 500 },
    );
  });

  it('are read or refused, and what is read stays below its own path', () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', '.', '/', ':', '@', '%', '-', '_', 'A') }),
    );
    fc.assert(
      fc.property(text, text => {
        try {
          const read = parseReference(text);
          const path = `/v2/${read.repository}/manifests/${read.tag ?? read.digest}`;
          assert.equal(new URL(path, 'https://registry.invalid').pathname, path);
        } catch (thrown) {
          assert.ok(hasCode(thrown, 'INPUT_INVALID'), String(thrown));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
