import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { hasCode } from '../../../../core/base/errors.ts';
import { parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { defaultRules } from '../../../../core/lifecycle/rules.ts';

const project = '11111111-2222-4333-8444-555555555555';
const other = '99999999-2222-4333-8444-555555555555';
const registry = 'registries: [{ url: contoso.azurecr.io, signIn: { kind: azure } }]';
const organization = (more: string, id: string = project, name = 'contoso'): string =>
  `{ url: "https://dev.azure.com/${name}", signIn: { kind: azure }, projects: [{ id: ${id} }]${more} }`;
const least = `${registry}\norganizations: [${organization('')}]\n`;
const two = (one: string, second: string): string =>
  `${registry}\norganizations:\n- ${organization(one)}\n- ${organization(second, other, 'fabrikam')}\n`;

const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(found => found[1] ?? '');
const prefixed = (prefix: string): string => `, buildTagPrefix: "${prefix}"`;

/** Reads a text that must be refused; gives the message's lines. */
function refuse(text: string): string[] {
  let lines: string[] = [];
  throws(
    () => parseConfiguration(text, 'c.yaml'),
    (thrown: unknown) => {
      lines = (thrown as Error).message.split('\n');
      return hasCode(thrown, 'INPUT_INVALID');
    },
    text,
  );
  return lines;
}

describe('configuration', () => {
  it('needs little, and fills in the rest', () => {
    const read = parseConfiguration(least, 'c.yaml');
    equal(read.server, undefined);
    deepEqual(read.reconcile, { every: 3_600_000, minimumInterval: 60_000 });
    const pairings = listPairings(read);
    equal(pairings.length, 1);
    deepEqual(pairings[0]?.rules, { ...defaultRules, projects: [{ projectId: project, repositories: ['*'] }] });
  });

  it('gives each registry with each organization its rules', () => {
    const signIn = 'signIn: { kind: azure }';
    const registries = `registries: [{ url: Dev.azurecr.io, ${signIn} }, { url: prod.azurecr.io, onBuildDeleted: keep, ${signIn} }, { url: test.azurecr.io, onBuildDeleted: delete, ${signIn} }]`;
    const text = `${two(', buildTagPrefix: a-, alsoOwn: ["a-{buildId}-*"]', ', buildTagPrefix: b-').replace(registry, registries)}grace: 90s\nbrake: { absent: { percent: 2.5 } }`;
    const pairings = listPairings(parseConfiguration(text, 'c.yaml'));
    deepEqual(
      pairings.map(({ registry, organization, rules }) => [
        registry.registry,
        organization.url,
        rules.buildTagPrefix,
        [rules.onBuildDeleted, rules.promoted],
      ]),
      [
        ['dev.azurecr.io', 'https://dev.azure.com/contoso', 'a-', ['delete', 'keep']],
        ['dev.azurecr.io', 'https://dev.azure.com/fabrikam', 'b-', ['delete', 'keep']],
        ['prod.azurecr.io', 'https://dev.azure.com/contoso', 'a-', ['keep', 'keep']],
        ['prod.azurecr.io', 'https://dev.azure.com/fabrikam', 'b-', ['keep', 'keep']],
        ['test.azurecr.io', 'https://dev.azure.com/contoso', 'a-', ['delete', 'delete']],
        ['test.azurecr.io', 'https://dev.azure.com/fabrikam', 'b-', ['delete', 'delete']],
      ],
    );
    for (const { rules } of pairings) {
      equal(rules.graceMs, 90_000);
      deepEqual(rules.brake, { deleted: defaultRules.brake.deleted, absent: { images: 50, percent: 2.5 } });
    }
  });

  it('reads every example of its page', () => {
    ok(examples.length >= 2);
    for (const example of examples) parseConfiguration(example, 'docs/configuration.md');
  });

  it('explains each of its keys on its page', () => {
    const explained = new Set([...page.matchAll(/`(?:\w+\.)*(\w+)(?:: [^`]*)?`/g)].map(found => found[1]));
    const keysOf = (value: unknown): string[] =>
      value !== null && typeof value === 'object'
        ? Object.entries(value).flatMap(([key, inner]) => [...(Array.isArray(value) ? [] : [key]), ...keysOf(inner)])
        : [];
    const keys = examples.flatMap(example => keysOf(parseConfiguration(example, 'docs/configuration.md')));
    ok(keys.includes('authority') && keys.includes('minimumInterval'));
    for (const key of keys) ok(explained.has(key) || ['env', 'file'].includes(key), key);
  });

  const server = (more: string): string => `${least}server: { username: u, password: { env: P }${more} }`;
  const wrong: readonly (readonly [text: string, message: RegExp])[] = [
    ['', /^c\.yaml: the configuration must be a block of keys/],
    ['[]', /the configuration must be a block of keys/],
    ['a: [', /^c\.yaml:1: the configuration is not YAML/],
    [`${least}grace: 1h\ngrace: 2h`, /^c\.yaml:4: the configuration is not YAML/],
    [`${least}---\n${least}`, /is not YAML/],
    ['registries: *gone', /is not YAML|an alias/],
    [`${least}registry: x`, /^c\.yaml:3: registry is not a key that is known here/],
    [
      least.replace('signIn: { kind: azure } }]\n', 'signIn: { kind: azure, tenant: x } }]\n'),
      /registries\[0\]\.signIn\.tenant is not a key/,
    ],
    [organization(''), /registries is missing/],
    [least.replace(registry, 'registries: []'), /^c\.yaml:1: registries must name at least one registry/],
    [
      least.replace('contoso.azurecr.io', 'https://contoso.azurecr.io'),
      /registries\[0\]\.url must be a registry's host name/,
    ],
    [least.replace('contoso.azurecr.io', 'http://contoso.azurecr.io'), /registries\[0\]\.url must be/],
    [least.replace('contoso.azurecr.io', 'contoso.azurecr.io/app'), /registries\[0\]\.url must be/],
    [
      least.replace('url: contoso.azurecr.io', 'url: 5'),
      /registries\[0\]\.url must be text, so put it into quotes/,
    ],
    [
      least.replace('signIn: { kind: azure } }]\n', 'signIn: { kind: azure }, onBuildDeleted: maybe }]\n'),
      /registries\[0\]\.onBuildDeleted must be delete or keep/,
    ],
    [
      least.replace('kind: azure } }]\n', 'kind: magic } }]\n'),
      /registries\[0\]\.signIn\.kind must be azure or password/,
    ],
    [
      least.replace('kind: azure } }]\n', 'kind: password, username: u } }]\n'),
      /registries\[0\]\.signIn\.password is missing/,
    ],
    [
      least.replace('kind: azure } }]\n', 'kind: password, username: u, password: hunter2 } }]\n'),
      /registries\[0\]\.signIn\.password must be \{ env: NAME \} or \{ file: path \}/,
    ],
    [
      least.replace(registry, registry.replace(']', ', { url: CONTOSO.azurecr.io, signIn: { kind: azure } }]')),
      /registries\[1\]\.url names the same registry as registries\[0\]/,
    ],
    [least.replace('https://dev', 'http://dev'), /organizations\[0\]\.url must be an https:\/\/ URL/],
    [least.replace('https://dev', 'https://me:pw@dev'), /organizations\[0\]\.url must be/],
    [least.replace(project, 'contoso'), /organizations\[0\]\.projects\[0\]\.id must be a GUID/],
    [least.replace(`id: ${project}`, 'name: x'), /organizations\[0\]\.projects\[0\]\.id is missing/],
    [
      least.replace(`id: ${project}`, `id: ${project}, repositories: []`),
      /projects\[0\]\.repositories must name at least one/,
    ],
    [
      least.replace(`id: ${project}`, `id: ${project}, repositories: ["Team/*"]`),
      /projects\[0\]\.repositories\[0\] must be a repository/,
    ],
    [
      least.replace(`[{ id: ${project} }]`, `[{ id: ${project} }, { id: ${project} }]`),
      /projects\[1\]\.id names the same project as organizations\[0\]\.projects\[0\]/,
    ],
    [
      `${registry}\norganizations: [${organization(', collectionId: 5')}]`,
      /organizations\[0\]\.collectionId must be a GUID/,
    ],
    [
      `${registry}\norganizations: [${organization(', buildTagPrefix: "-a"')}]`,
      /organizations\[0\]\.buildTagPrefix must be the beginning of a tag/,
    ],
    [
      `${registry}\norganizations: [${organization(', buildTagPrefix: a1')}]`,
      /organizations\[0\]\.buildTagPrefix .*not end in a digit/,
    ],
    [
      `${registry}\norganizations: [${organization(', alsoOwn: [latest]')}]`,
      /organizations\[0\]\.alsoOwn\[0\] must hold \{buildId\}/,
    ],
    [
      `${registry}\norganizations: [${organization(', alsoOwn: ["{buildId}*"]')}]`,
      /organizations\[0\]\.alsoOwn\[0\] .*47 must not own 471/,
    ],
    [
      `${registry}\norganizations: [${organization(', alsoOwn: ["v1{buildId}"]')}]`,
      /organizations\[0\]\.alsoOwn\[0\] /,
    ],
    [`${registry}\norganizations: [${organization(', alsoOwn: ["{buildID}"]')}]`, /organizations\[0\]\.alsoOwn\[0\] /],
    [`${least}grace: 24`, /^c\.yaml:3: grace must be a whole number and a unit/],
    [`${least}grace: 1w`, /grace must be a whole number and a unit/],
    [`${least}grace: -1h`, /grace must be a whole number and a unit/],
    [`${least}grace: 9999d`, /grace must be at least 0 s and at most 3650 d/],
    [`${least}brake:\n  deleted:\n    images: 0`, /^c\.yaml:5: brake\.deleted\.images must be at least 1/],
    [`${least}brake: { absent: { percent: 101 } }`, /brake\.absent\.percent must be at most 100/],
    [`${least}brake: { deleted: { images: 1.5 } }`, /brake\.deleted\.images must be a whole number/],
    [`${least}reconcile: { every: 10s }`, /reconcile\.every must be at least 60 s/],
    [
      `${least}reconcile: { every: 5m, minimumInterval: 6m }`,
      /reconcile\.minimumInterval must not be longer than reconcile\.every/,
    ],
    [server(', port: 70000'), /server\.port must be a whole number from 0 to 65535/],
    [server(', port: "80"'), /server\.port must be/],
    [server('').replace('username: u', 'username: "a:b"'), /server\.username must be text without a colon/],
    [server('').replace('username: u, ', ''), /server\.username is missing/],
    [server('').replace('{ env: P }', '{ env: P, file: x }'), /server\.password must be \{ env/],
  ];
  it('names the key of each fault', () => {
    for (const [text, message] of wrong) match(refuse(text)[0] ?? '', message, text);
  });

  it('names every fault at once, each with its line', () => {
    const text = `registries:\n  - url: a.example\n    onBuildDelete: keep\n    signIn:\n      kind: azure\norganizations:\n  - ${organization(', x: 1').replace(project, 'y')}\ngrace: soon\n`;
    deepEqual(refuse(text), [
      'c.yaml:3: registries[0].onBuildDelete is not a key that is known here',
      'c.yaml:7: organizations[0].projects[0].id must be a GUID',
      'c.yaml:7: organizations[0].x is not a key that is known here',
      'c.yaml:8: grace must be a whole number and a unit, such as 90s, 15m, 24h or 30d',
    ]);
  });

  it('refuses organizations whose builds it could not tell apart, and says why', () => {
    const reason = /build ids are unique within one organization only/;
    for (const [one, second] of [
      ['', ''],
      [prefixed('a-'), ''],
      [prefixed('a-'), prefixed('a-')],
      [prefixed('a-'), prefixed('A-b-')],
    ] as const) {
      const message = refuse(two(one, second)).join('\n');
      match(message, reason);
      match(message, /organizations\[\d\]\.buildTagPrefix/);
    }
    match(
      refuse(two(`${prefixed('a-')}, alsoOwn: ["*-{buildId}"]`, prefixed('b-')))[0] ?? '',
      /organizations\[0\]\.alsoOwn\[0\] must begin with buildTagPrefix/,
    );
    match(
      refuse(two(prefixed('a-'), prefixed('b-')).replace(other, project))[0] ?? '',
      /organizations\[1\]\.projects\[0\]\.id names the same project as organizations\[0\]/,
    );
    match(
      refuse(two(prefixed('a-'), prefixed('b-')).replace('fabrikam', 'Contoso'))[0] ?? '',
      /organizations\[1\]\.url names the same organization/,
    );
    parseConfiguration(two(prefixed('a-'), prefixed('b-')), 'c.yaml');
  });

  it('repeats no value, which may be a secret in the wrong place', () => {
    const places = [
      'password: hunter2',
      'password: [hunter2]',
      'password: { env: "hunter2!" }',
      'password: { value: hunter2 }',
      'password: *hunter2',
      'password: "x" hunter2',
      'password: }hunter2',
    ];
    for (const place of places) {
      const text = least.replace('kind: azure } }]\n', `kind: password, username: u, ${place} } }]\n`);
      ok(!refuse(text).join('').includes('hunter2'), place);
    }
  });

  it('repeats nothing of a text that is not YAML', () => {
    const bit = fc.constantFrom('hunter2', ...' \n{}[]:"\'|>&*!%@,#\t-?'.split(''));
    fc.assert(
      fc.property(fc.array(bit, { maxLength: 12 }), bits => {
        ok(
          !refuse(`password: ${bits.join('')}`).some(line => line.includes('is not YAML') && line.includes('hunter2')),
        );
      }),
      { numRuns: 1000 },
    );
    for (const text of [': ]hunter2', 'password: !hunter2!', 'password: !x!hunter2 y', 'a: 1\n<<: !hunter2! x']) {
      const [first = ''] = refuse(text);
      match(first, /^c\.yaml:[12]: the configuration is not YAML: [^:]+$/);
      ok(!first.includes('hunter2'), first);
    }
  });

  it('takes http for this machine alone', () => {
    const local = least
      .replace('https://dev.azure.com', 'http://localhost:8081')
      .replace('contoso.azurecr.io', 'http://127.0.0.1:5000');
    equal(parseConfiguration(local, 'c.yaml').organizations[0]?.url, 'http://localhost:8081/contoso');
  });
});
