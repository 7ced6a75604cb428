/** Configurations as text: the least that is right, and what is wrong with others. */

/** A text that must be refused, and how its first fault begins. */
export type Wrong = readonly [text: string, message: RegExp];

export const project = '11111111-2222-4333-8444-555555555555';
export const other = '99999999-2222-4333-8444-555555555555';
export const registry = 'registries: [{ url: contoso.azurecr.io, signIn: { kind: azure } }]';
export const organization = (more: string, id: string = project, name = 'contoso'): string =>
  `{ url: "https://dev.azure.com/${name}", signIn: { kind: azure }, projects: [{ id: ${id} }]${more} }`;
export const least = `${registry}\norganizations: [${organization('')}]\n`;
export const two = (one: string, second: string): string =>
  `${registry}\norganizations:\n- ${organization(one)}\n- ${organization(second, other, 'fabrikam')}\n`;

export const prefixed = (prefix: string): string => `, buildTagPrefix: "${prefix}"`;

const server = (more: string): string => `${least}server: { username: u, password: { env: P }${more} }`;
/** Faults of single keys. */
export const wrong: readonly Wrong[] = [
  ['', /^c\.yaml:1:1: the configuration must be a block of keys/],
  ['[]', /the configuration must be a block of keys/],
  ['a: [', /^c\.yaml:1:5: the configuration is not YAML/],
  [`${least}grace: 1h\ngrace: 2h`, /^c\.yaml:4:1: the configuration is not YAML: a key stands twice/],
  [`${least}---\n${least}`, /is not YAML/],
  ['registries: *gone', /^c\.yaml:1:13: the configuration is not YAML: an alias has no anchor above it$/],
  [`${least}registry: x`, /^c\.yaml:3:1: registry is not a key that is known here, but registries is$/],
  [
    least.replace('signIn: { kind: azure } }]\n', 'signIn: { kind: azure, tenant: x } }]\n'),
    /registries\[0\]\.signIn\.tenant is not a key that is known here, but tenantId is$/,
  ],
  [organization(''), /registries is missing/],
  [least.replace(registry, 'registries: []'), /^c\.yaml:1:1: registries must name at least one registry/],
  [
    least.replace('contoso.azurecr.io', 'https://contoso.azurecr.io'),
    /registries\[0\]\.url must be a registry's host name/,
  ],
  [least.replace('contoso.azurecr.io', 'http://contoso.azurecr.io'), /registries\[0\]\.url must be/],
  [least.replace('contoso.azurecr.io', 'contoso.azurecr.io/app'), /registries\[0\]\.url must be/],
  [least.replace('url: contoso.azurecr.io', 'url: 5'), /registries\[0\]\.url must be text, so put it into quotes/],
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
  [least.replace(`id: ${project}`, 'repositories: [x]'), /projects\[0\] must have id, a GUID, or name$/],
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
    /\.projects\[1\] names the same project as organizations\[0\]\.projects\[0\]$/,
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
  [`${registry}\norganizations: [${organization(', alsoOwn: ["v1{buildId}"]')}]`, /organizations\[0\]\.alsoOwn\[0\] /],
  [`${registry}\norganizations: [${organization(', alsoOwn: ["{buildID}"]')}]`, /organizations\[0\]\.alsoOwn\[0\] /],
  [`${least}grace: 24`, /^c\.yaml:3:1: grace must be a whole number and a unit/],
  [`${least}grace: 1w`, /grace must be a whole number and a unit/],
  [`${least}grace: -1h`, /grace must be a whole number and a unit/],
  [`${least}grace: 9999d`, /grace must be at least 0s and at most 3650d/],
  [`${least}brake:\n  deleted:\n    images: 0`, /^c\.yaml:5:5: brake\.deleted\.images must be at least 1/],
  [`${least}brake: { absent: { percent: 101 } }`, /brake\.absent\.percent must be at most 100/],
  [`${least}brake: { deleted: { images: 1.5 } }`, /brake\.deleted\.images must be a whole number/],
  [`${least}reconcile: { every: 10s }`, /reconcile\.every must be at least 1m and at most 7d/],
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
const short = `organization: https://dev.azure.com/contoso\nprojects: [shop]\n${registry}\n`;
const clusters = (...list: string[]): string => `${least}clusters: [${list.join(', ')}]`;
/** Clusters report, and what else there is. */
export const reporting = (usage: string, more: string): string =>
  `${least.replace('url: contoso', `usage: { report: required, ${usage} }, url: contoso`)}${more}`;
/** Faults between keys, and of the keys of a policy. */
export const wrongTogether: readonly Wrong[] = [
  [short.replace('projects: [shop]\n', ''), /^c\.yaml:1:1: projects is missing$/],
  [short.replace(/^.*\n/, ''), /organization is missing$/],
  [registry, /organizations is missing, or organization and projects$/],
  [`${short}organizations: [${organization('')}]`, /^c\.yaml:1:1: organization is of the short form for one/],
  [`${least}projects: [shop]`, /^c\.yaml:3:1: projects is of the short form for one/],
  [
    short.replace('[shop]', '[shop, pay, SHOP]'),
    /^c\.yaml:2:23: projects\[2\] names the same project as projects\[0\]$/,
  ],
  [short.replace('[shop]', '[]'), /projects must name at least one project/],
  [short.replace('[shop]', '[5]'), /projects\[0\] must be a name or an id in quotes, or a block with id or name/],
  [short.replace('[shop]', '["a/b"]'), /projects\[0\] must be the name of a project of Azure DevOps, or its id/],
  [short.replace('[shop]', `[{ name: a, id: ${project} }]`), /projects\[0\] must have id or name, not both/],
  [short.replace('[shop]', '[{ name: a, repository: b }]'), /projects\[0\]\.repository is not a key/],
  [short.replace('https:', 'http:'), /^c\.yaml:1:1: organization must be an https:\/\/ URL/],
  [least.replace('url: contoso', 'name: a b, url: contoso'), /registries\[0\]\.name must be letters, digits/],
  [
    least.replace('url: contoso', 'repositories: [A], url: contoso'),
    /registries\[0\]\.repositories\[0\] must be a repo/,
  ],
  [least.replace('url: contoso', 'usage: {}, url: contoso'), /registries\[0\]\.usage\.report is missing/],
  [
    least.replace('registries: [', 'registries: [{ url: a.example, name: Contoso.azurecr.io }, '),
    /registries\[1\]\.name is the name of registries\[0\] too/,
  ],
  [
    least.replace('registries: [', 'registries: [{ url: "http://localhost:5000" }, { url: "localhost:5000" }, '),
    /registries\[1\]\.url names the same registry as registries\[0\]/,
  ],
  ...['contoso.azurecr.io:443', 'CONTOSO.azurecr.io:0443'].map(
    (url): Wrong => [
      least.replace('registries: [', `registries: [{ url: "${url}", name: a }, `),
      /registries\[1\]\.url names the same registry as registries\[0\]$/,
    ],
  ),
  [
    two(prefixed('a-'), prefixed('b-')).replace('dev.azure.com/fabrikam', 'Contoso.visualstudio.com'),
    /organizations\[1\]\.url names the same organization as organizations\[0\]$/,
  ],
  [
    reporting('maxAge: 25h', ''),
    /^c\.yaml:1:43: registries\[0\]\.usage\.maxAge \(24h where it is left out\) must not be longer than grace: one report/,
  ],
  [reporting('maxAge: 2h', 'grace: 1h'), /registries\[0\]\.usage\.maxAge .*must not be longer than grace: /],
  [reporting('', 'grace: 23h'), /registries\[0\]\.usage\.maxAge .*must not be longer than grace: /],
  [
    reporting('maxAge: 2h', 'delete: { untagged: { olderThan: 1h } }'),
    /registries\[0\]\.usage\.maxAge .*must not be longer than delete\.untagged\.olderThan: /,
  ],
  [clusters('{ name: a, server: x }'), /clusters\[0\]\.server must be an https:\/\/ URL/],
  [clusters('{ server: "https://a" }'), /clusters\[0\]\.name is missing/],
  [clusters('{ name: a, server: "https://a", context: a }'), /clusters\[0\]\.context must not stand beside server/],
  [
    clusters('{ name: a, context: a }', '{ name: A, context: b }'),
    /clusters\[1\]\.name is the name of clusters\[0\] too/,
  ],
  [clusters('{ name: a, context: a }', '{ name: b, context: a }'), /clusters\[1\]\.context picks the same cluster as/],
  [
    clusters('{ name: a, server: "https://A.example" }', '{ name: b, server: "https://a.example/" }'),
    /clusters\[1\]\.server picks the same cluster as clusters\[0\]/,
  ],
  [clusters('{ name: a }', '{ name: b, context: b }'), /clusters\[0\]\.server is missing, or context/],
  [
    clusters('{ name: prod }').replace('url: contoso', 'name: Prod, usage: { report: required }, url: contoso'),
    /clusters\[0\]\.name is the name of registries\[0\] too/,
  ],
  [
    clusters('{ name: a, customResources: [{ group: g, version: V1, resource: r, images: [] }] }'),
    /clusters\[0\]\.customResources\[0\]\.version must be lower-case/,
  ],
  [
    clusters('{ name: a, customResources: [{ group: g, version: v1, resource: r, images: ["..[?(@.x)]"] }] }'),
    /clusters\[0\]\.customResources\[0\]\.images\[0\] must be a path of names/,
  ],
  [`${least}keep: { newerThan: 5 }`, /^c\.yaml:3:9: keep\.newerThan must be a whole number and a unit/],
  [
    `${least}keep: { references: [{ branch: 7 }] }`,
    /keep\.references\[0\]\.branch must be text, so put it into quotes/,
  ],
  [
    `${least}keep: { references: [{ branch: refs/heads/main }] }`,
    /^c\.yaml:3:24: keep\.references\[0\]\.branch never matches: the name of a branch stands without refs\/heads\/, such as main$/,
  ],
  [`${least}keep: { references: [{ tag: "/^refs\\\\/tags\\\\/v/" }] }`, /keep\.references\[0\]\.tag never matches/],
  [`${least}keep: { references: [{ branch: feature/ }] }`, /keep\.references\[0\]\.branch never matches: names in git/],
  [`${least}keep: { references: [{ branch: "main " }] }`, /keep\.references\[0\]\.branch must be a glob/],
  [`${least}keep: { tags: [""] }`, /keep\.tags\[0\] must not be empty/],
  [`${least}keep: { tags: ["refs/tags/v*"] }`, /keep\.tags\[0\] never matches/],
  [`${least}keep: { tags: [release/*] }`, /keep\.tags\[0\] never matches: a tag of an image is letters/],
  [
    `${least}delete: { withoutRecord: { tagsMatching: "a/*", definitions: [1] } }`,
    /delete\.withoutRecord\.tagsMatching never matches: a tag of an image is letters/,
  ],
  [`${least}delete: { withoutRecord: { tagsMatching: "*" } }`, /delete\.withoutRecord\.definitions is missing/],
  [`${least}delete: { withoutRecord: drop }`, /delete\.withoutRecord must be keep, or a block with both/],
  [
    `${least}delete: { untagged: { olderThan: 10m } }`,
    /delete\.untagged\.olderThan must be at least 1h and at most 3650d$/,
  ],
  [`${least}grace: 400000000d`, /grace must be at least 0s and at most 3650d$/],
  [least.replace('contoso.azurecr.io', '""'), /registries\[0\]\.url must be a registry's host name/],
  [
    least.replace('url: contoso', 'usage: { report: required, clusters: [AKS] }, url: contoso'),
    /registries\[0\]\.usage\.clusters\[0\] must be lower-case letters and digits/,
  ],
  [`${least}delete: { untagged: true }`, /delete\.untagged must be a block of keys/],
];
