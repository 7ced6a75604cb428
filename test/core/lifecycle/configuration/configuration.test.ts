import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import fc from 'fast-check';
import { hasCode } from '../../../../core/base/errors.ts';
import { type Configuration, parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { listPairings, type Pairing } from '../../../../core/lifecycle/configuration/pairings.ts';
import { defaultRules } from '../../../../core/lifecycle/rules.ts';
import {
  least,
  organization,
  other,
  prefixed,
  project,
  registry,
  reporting,
  two,
  wrong,
  wrongTogether,
} from './configuration-texts.ts';

/** The pairings, where every project is written by its id. */
function pairingsOf(configuration: Configuration): Pairing[] {
  const organizations = configuration.organizations.map(one => ({
    ...one,
    projects: one.projects.map(({ id = '', repositories }) => ({ id, name: id, repositories })),
  }));
  return listPairings(configuration, organizations);
}

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

const dislikeName = () => [{ path: ['registries', 0, 'name'], message: 'is not to my taste' }];

describe('configuration', () => {
  it('needs little, and fills in the rest', () => {
    const read = parseConfiguration(least, 'c.yaml');
    equal(read.server, undefined);
    deepEqual(read.reconcile, { every: 3_600_000, minimumInterval: 60_000 });
    const pairings = pairingsOf(read);
    equal(pairings.length, 1);
    deepEqual(pairings[0]?.rules, { ...defaultRules, projects: [{ projectId: project, repositories: ['*'] }] });
  });

  it('gives each registry with each organization its rules', () => {
    const signIn = 'signIn: { kind: azure }';
    const registries = `registries: [{ url: Dev.azurecr.io, ${signIn} }, { url: prod.azurecr.io, onBuildDeleted: keep, ${signIn} }, { url: test.azurecr.io, onBuildDeleted: delete, ${signIn} }]`;
    const text = `${two(', buildTagPrefix: a-, alsoOwn: ["a-{buildId}-*"]', ', buildTagPrefix: b-').replace(registry, registries)}grace: 90s\nbrake: { absent: { percent: 2.5 } }`;
    const pairings = pairingsOf(parseConfiguration(text, 'c.yaml'));
    deepEqual(
      pairings.map(({ registry, organization, rules }) => [
        registry.url,
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

  it('reads one organization written short, with projects by name, by id and with their repositories', () => {
    const text = `organization: https://dev.azure.com/contoso/\nprojects: [Shop & Co, ${other.toUpperCase()}, { name: api, repositories: ["api/*"] }, { id: ${project} }]\nregistries: [{ url: Contoso.azurecr.io }]`;
    const { organizations, registries, isShort, isPolicyGiven } = parseConfiguration(text, 'c.yaml');
    deepEqual(organizations, [
      {
        url: 'https://dev.azure.com/contoso',
        buildTagPrefix: '',
        alsoOwn: [],
        projects: [
          { name: 'Shop & Co', repositories: ['*'] },
          { id: other, repositories: ['*'] },
          { name: 'api', repositories: ['api/*'] },
          { id: project, repositories: ['*'] },
        ],
      },
    ]);
    deepEqual(registries, [{ url: 'contoso.azurecr.io', name: 'contoso.azurecr.io', repositories: ['*'] }]);
    deepEqual([isShort, isPolicyGiven], [true, false]);
    const long = text
      .replace('organization:', 'organizations: [{ url:')
      .replace(/\nprojects: (.*)/, ', projects: $1}]');
    deepEqual(parseConfiguration(long, 'c.yaml').organizations, organizations);
    equal(parseConfiguration(long, 'c.yaml').isShort, false);
  });

  it('tells whether a policy is given, by whichever key of one', () => {
    for (const [more, given] of [
      ['', false],
      ['keep: {}', true],
      ['delete: {}', true],
      ['clusters: []', false],
      ['clusters: [{ name: prod }]', true],
    ] as const)
      equal(parseConfiguration(`${least}${more}`, 'c.yaml').isPolicyGiven, given, more);
    const usage = least.replace('url: contoso.azurecr.io', 'url: contoso.azurecr.io, usage: { report: required }');
    equal(parseConfiguration(usage, 'c.yaml').isPolicyGiven, true);
  });

  it('names the key of each fault between keys', () => {
    for (const [text, message] of wrongTogether) match(refuse(text)[0] ?? '', message, text);
  });

  it('tells faults between keys beside those of single keys, and every fault of the YAML', () => {
    const text = `organizations:\n- ${organization('')}\n- ${organization('', other)}\nregistries: [{ url: a.example }, { url: A.example }, { url: b/c }]\nkeep: { deployed: maybe }\n`;
    deepEqual(
      refuse(text).map(line => line.replace(/:? (?:build ids|such as).*/, '')),
      [
        'c.yaml:2:3: organizations[0].buildTagPrefix is needed where there are several organizations',
        'c.yaml:3:3: organizations[1].buildTagPrefix is needed where there are several organizations',
        'c.yaml:3:5: organizations[1].url names the same organization as organizations[0]',
        'c.yaml:4:36: registries[1].url names the same registry as registries[0]',
        "c.yaml:4:56: registries[2].url must be a registry's host name,",
        'c.yaml:5:9: keep.deployed must be true or false',
      ],
    );
    deepEqual(refuse('a: 1\na: 2\nb: "\\q"\n'), [
      'c.yaml:2:1: the configuration is not YAML: a key stands twice in one map',
      'c.yaml:3:5: the configuration is not YAML: a text in double quotes has an escape that does not exist',
    ]);
  });

  it('tells what one program asks beyond, with its place, once all else is right', () => {
    throws(
      () => parseConfiguration(least, 'c.yaml', dislikeName),
      /^AppError: c\.yaml:1:14: registries\[0\]\.name is not to my taste$/,
    );
    throws(
      () => parseConfiguration(`${least}x: 1`, 'c.yaml', dislikeName),
      /^AppError: c\.yaml:3:1: x is not a key that is known here$/,
    );
  });

  it('names the key of each fault', () => {
    for (const [text, message] of wrong) match(refuse(text)[0] ?? '', message, text);
  });

  it('names every fault at once, each with its line and column, as they stand there', () => {
    const text = `registries:\n  - url: a.example\n    onBuildDelete: keep\n    signIn:\n      kind: azure\norganizations:\n  - ${organization(', x: 1').replace(project, 'y')}\ngrace: soon\n`;
    deepEqual(refuse(text), [
      'c.yaml:3:5: registries[0].onBuildDelete is not a key that is known here, but onBuildDeleted is',
      'c.yaml:7:83: organizations[0].projects[0].id must be a GUID',
      'c.yaml:7:93: organizations[0].x is not a key that is known here',
      'c.yaml:8:1: grace must be a whole number and a unit, such as 90s, 15m, 24h or 30d',
    ]);
  });

  it('names the key that is nearest to one that is not known, and none that is far from it', () => {
    const text = `${least}keep: { deploid: true, newrThan: 2h, older: 3 }\ndelet: {}\nretention: 3d\nx: 1\n`;
    deepEqual(
      refuse(text).map(line => line.replace(/^c\.yaml:\d+:\d+: (\S+) is not a key that is known here/, '$1')),
      [
        'keep.deploid, but deployed is',
        'keep.newrThan, but newerThan is',
        'keep.older',
        'delet, but delete is',
        'retention',
        'x',
      ],
    );
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
      /organizations\[1\]\.projects\[0\] names the same project as organizations\[0\]\.projects\[0\]$/,
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

  it('names the line of a bracket that is not closed, of each where several are not', () => {
    const notIndented = 'is not closed above, or what stands in it is not indented';
    const texts: readonly (readonly [text: string, lines: readonly string[]])[] = [
      ['registries:\n  - { url: a.example\nkeep: {}\n', [`3:1 the "{" of line 2 ${notIndented}`]],
      [
        'keep:\n  tags: ["v*", "x"\n  references: [{ branch: main }]\ngrace: 1h\n',
        [`3:3 the "[" of line 2 ${notIndented}`],
      ],
      [
        'keep: {\n  references: [\n    { branch: main }\ngrace: 1h\n',
        [`4:1 the "[" of line 2 ${notIndented}`, `4:1 the "{" of line 1 ${notIndented}`],
      ],
      [
        'keep: { references: [{ branch: main }',
        [`1:38 the "[" of line 1 ${notIndented}`, `1:38 the "{" of line 1 ${notIndented}`],
      ],
      ['{ keep:\n  { tags: [] }', ['2:15 the "{" of line 1 is not closed']],
      ['keep:\n  deployed: true\n tags: []\n', ['3:1 the indentation does not fit what stands above']],
    ];
    for (const [text, lines] of texts)
      deepEqual(
        refuse(text).map(line => line.replace(/^c\.yaml:/, '').replace(': the configuration is not YAML:', '')),
        lines,
        text,
      );
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
      match(first, /^c\.yaml:[12]:\d+: the configuration is not YAML: [^:]+$/);
      ok(!first.includes('hunter2'), first);
    }
  });

  it('lets a cluster be called as a registry that nobody reports into', () => {
    const text = `${least.replace('url: contoso', 'name: prod, url: contoso')}clusters: [{ name: prod }]`;
    deepEqual(parseConfiguration(text, 'c.yaml').clusters, [{ name: 'prod', customResources: [] }]);
  });

  it('lets reports be as old as the grace, and older where nobody asks for them', () => {
    for (const [usage, more] of [
      ['', ''],
      ['maxAge: 48h', 'grace: 2d'],
      ['maxAge: 1h', 'delete: { untagged: { olderThan: 1h } }'],
      ['maxAge: 48h', 'keep: { deployed: false }'],
    ] as const)
      parseConfiguration(reporting(usage, more), 'c.yaml');
    throws(() => parseConfiguration(reporting('maxAge: 48h', 'keep: { deployed: false, helmRevisions: 1 }'), 'c.yaml'));
  });

  it('tells registries apart by their ports', () => {
    const ports = least.replace('registries: [', 'registries: [{ url: "contoso.azurecr.io:444", name: a }, ');
    equal(parseConfiguration(ports, 'c.yaml').registries.length, 2);
  });

  it('takes http for this machine alone', () => {
    const local = least
      .replace('https://dev.azure.com', 'http://localhost:8081')
      .replace('contoso.azurecr.io', 'http://127.0.0.1:5000');
    equal(parseConfiguration(local, 'c.yaml').organizations[0]?.url, 'http://localhost:8081/contoso');
  });
});
