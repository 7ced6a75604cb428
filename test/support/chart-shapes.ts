/** Charts of many shapes, by what is special about each. Helm packages every one of them. */
import type { ArchivedChart, ChartTree } from './charts.ts';

/** A `Chart.yaml`, with lines behind what it must have. */
export function chartYaml(name: string, ...lines: readonly string[]): string {
  return ['apiVersion: v2', `name: ${name}`, 'version: 1.4.0', ...lines, ''].join('\n');
}

const values = '# the values\nimage:\n  repository: shop/web\n  tag: "1"\n';
const template = 'kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: {{ .Chart.Name }}\n';

/** A small chart with more in it. */
export function smallChart(name: string, more: ChartTree = {}): ChartTree {
  return { 'Chart.yaml': chartYaml(name), 'values.yaml': values, 'templates/map.yaml': template, ...more };
}

function below(folder: string, tree: ChartTree): ChartTree {
  return Object.fromEntries(Object.entries(tree).map(([path, content]) => [`${folder}/${path}`, content]));
}

function archived(name: string, more: ChartTree = {}): ArchivedChart {
  return { top: name, archive: smallChart(name, more) };
}

function dependencies(...names: readonly string[]): string {
  return ['dependencies:', ...names.map(name => `  - {name: ${name}, version: 1.4.0, repository: ""}`)].join('\n');
}

const manyFiles: ChartTree = {
  'README.md': '# shop\n',
  'notes.txt': 'a\n',
  'docs/a.txt': 'a\n',
  'docs/b.md': 'b\n',
  'docs/deep/c.txt': 'c\n',
  'files/a1.cfg': '1',
  'files/b2.cfg': '2',
  'files/[x].cfg': 'x',
  'files/a-.cfg': '-',
  'templates/web/a.yaml': template,
  'templates/web/b.tmp': '',
  'templates/.hidden': 'x',
  'templates/web/.hidden': 'y',
  'tmp/x': '',
  'a/tmp/y': '',
  'a/tmp': 'never written',
};
const { 'a/tmp': _, ...files } = manyFiles;

/** A shape with rules, on many files. */
function ruled(...rules: readonly string[]): ChartTree {
  return smallChart('shop', { ...files, '.helmignore': rules.join('\n') });
}

/** The shapes of `.helmignore`. */
export const ignoreShapes: Readonly<Record<string, ChartTree>> = {
  'a rule for a name': ruled('*.txt'),
  'a rule for a folder, which no file has': ruled('tmp/', 'README.md/', 'docs/deep/'),
  'a rule with a slash in front': ruled('/docs', '/*.md'),
  'a rule for a path, with and without wildcards': ruled('docs/*.md', 'templates/?eb/b.tmp', 'deep/c.txt'),
  'classes of characters, escapes and ranges': ruled('a[0-9].cfg', '\\[x\\].cfg', 'files/[^a-y]*-.cfg', '[a-a]-.cfg'),
  'a negation, which ignores what it does not match': ruled('notes.txt', '![A-Zav]*', 'README.md'),
  'comments, blank lines, spaces and tabs': ruled('# *.md', '', '   ', '\t  *.txt \t', ' #a', '\u00a0*.cfg\u2003'),
  'rules with a byte order mark and carriage returns': ruled('\ufeff*.md\r', 'docs\r', ''),
  'a rule that names the file of rules': ruled('.helmignore'),
  'a rule for every hidden file': ruled('.*'),
  'rules that reach into a subchart, and those of a subchart that do not': smallChart('shop', {
    '.helmignore': '*.txt\ncharts/sub/docs/\n',
    ...below(
      'charts/sub',
      smallChart('sub', { '.helmignore': '*.md\n', 'a.md': '', 'a.txt': '', 'docs/x': '', 'templates/.dot': '' }),
    ),
    'charts/packed.tgz': archived('packed', { 'a.txt': '', '.helmignore': '*\n', 'templates/.dot': 'kept' }),
  }),
  'a rule that leaves a subchart out': smallChart('shop', {
    '.helmignore': 'charts/old*\ncharts/*.md\n',
    ...below('charts/old', smallChart('old')),
    'charts/old-1.tgz': archived('older'),
    'charts/README.md': 'About the charts.\n',
    'charts/new.tgz': archived('new'),
  }),
};

const windows: ArchivedChart = { ...archived('windows', { 'files/a/b.txt': 'b' }), delimiter: '\\' };
const longName = 'a-name-that-goes-on-and-on-'.repeat(5);

/** Every other shape. */
export const plainShapes: Readonly<Record<string, ChartTree>> = {
  'nothing but a Chart.yaml': { 'Chart.yaml': chartYaml('shop') },
  'a subchart in a folder of another name': smallChart('shop', below('charts/other', smallChart('sub'))),
  'a subchart as an archive': smallChart('shop', { 'charts/sub-1.4.0.tgz': archived('sub', { 'files/a': 'a' }) }),
  'an archive whose folder has another name than its chart': smallChart('shop', {
    'charts/sub.tgz': { top: 'elsewhere', archive: smallChart('sub') },
  }),
  'archives in archives, and folders in them': smallChart('shop', {
    'charts/one.tgz': archived('one', {
      'charts/two.tgz': archived('two', { ...below('charts/three', smallChart('three')) }),
      ...below('charts/four', smallChart('four', { 'charts/five.tgz': archived('five') })),
    }),
  }),
  'an archive that was made on Windows': smallChart('shop', { 'charts/windows.tgz': windows }),
  'an archive with folders, modes, owners and times': smallChart('shop', {
    'charts/sub.tgz': {
      top: 'sub',
      archive: { './': '', 'templates/': '', ...smallChart('sub') },
      header: { mode: 0o700, uid: 501, gid: 20, uname: 'me', gname: 'staff', mtime: new Date(1e12) },
    },
  }),
  'an archive with extended headers': smallChart('shop', {
    'charts/sub.tgz': {
      ...archived('sub', { [`files/${longName}`]: 'x' }),
      header: { pax: { comment: 'made by me' } },
    },
  }),
  links: smallChart('shop', {
    'files/a.txt': 'a',
    'files/same.txt': { link: 'a.txt' },
    'files/again.txt': { link: 'same.txt' },
    copies: { link: 'files' },
    'templates/values.yaml': { link: '../values.yaml' },
    'charts/sub': { link: '../library/sub' },
    ...below('library/sub', smallChart('sub')),
  }),
  'resource definitions': smallChart('shop', {
    'crds/shop.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: shops.x.io}\n',
    'crds/deep/README.md': 'x',
  }),
  'files of every kind': smallChart('shop', {
    ...files,
    'files/binary': Uint8Array.from({ length: 1500 }, (_, at) => at % 256),
    'files/empty': '',
    'files/512': 'x'.repeat(512),
    'files/with space and "quotes"': 'x',
    '.hidden': 'x',
    '.github/workflows/x.yaml': 'x: 1',
    LICENSE: 'MIT',
    'values-dev.yaml': 'a: 1\n',
    templates2: 'x',
    'Chart.yaml.bak': 'x',
    'docs/Chart.yaml': 'name: [',
  }),
  'a schema, notes, partials and tests': smallChart('shop', {
    'values.schema.json': '{"type": "object"}',
    'templates/NOTES.txt': 'Thanks for {{ .Chart.Name }}.\n',
    'templates/_partials.tpl': '{{- define "a" }}a{{ end }}',
    'templates/tests/connect.yaml': template,
  }),
  'empty folders': smallChart('shop', { 'empty/': '', 'templates/none/': '', 'charts/': '', 'crds/': '' }),
  'a library': { 'Chart.yaml': chartYaml('lib', 'type: library'), 'templates/_a.tpl': '{{- define "a" }}a{{ end }}' },
  'a chart with a library in it': smallChart('shop', {
    'Chart.yaml': chartYaml('shop', 'type: application', dependencies('lib')),
    'charts/lib.tgz': { top: 'lib', archive: { 'Chart.yaml': chartYaml('lib', 'type: library') } },
  }),
  'dependencies with alias, condition, tags and values to import': smallChart('umbrella', {
    'Chart.yaml': chartYaml(
      'umbrella',
      'dependencies:',
      '  - name: sub',
      '    version: ">= 1"',
      '    repository: "file://../sub"',
      '    condition: first.enabled,global.first',
      '    alias: first',
      '  - {name: sub, version: 1.4.0, alias: second, tags: [web, back], repository: "https://charts.x.io"}',
      '  - name: other',
      '    version: 1.4.0',
      '    enabled: true',
      '    import-values: [data, {child: a.b, parent: c}]',
    ),
    'charts/sub-1.4.0.tgz': archived('sub'),
    ...below('charts/other', smallChart('other')),
  }),
  'byte order marks': {
    'Chart.yaml': `\ufeff${chartYaml('shop')}`,
    'values.yaml': `\ufeff${values}`,
    'values.schema.json': '\ufeff{}',
    'templates/a.yaml': `\ufeff${template}`,
    'files/twice': '\ufeff\ufeffx',
    'files/only': '\ufeff',
    'charts/sub.tgz': archived('sub', { 'Chart.yaml': `\ufeff${chartYaml('sub')}`, 'files/x': '\ufeffx' }),
  },
  'carriage returns': {
    'Chart.yaml': chartYaml('shop', 'description: two', '  lines').replaceAll('\n', '\r\n'),
    'values.yaml': values.replaceAll('\n', '\r\n'),
    'templates/a.yaml': template.replaceAll('\n', '\r\n'),
  },
  'names beyond ASCII': smallChart('shop', {
    'files/größe.txt': 'ß',
    'files/日本.txt': '日本',
    'files/😀.txt': '😀',
    'files/\uffee.txt': 'before the one above by its units, behind it by its bytes',
    'templates/é/é.yaml': template,
    [`files/${'é'.repeat(110)}`]: 'long, too',
  }),
  'folders in folders': smallChart('shop', {
    [`files/${'d/'.repeat(60)}x`]: 'x',
    [`templates/${'e/'.repeat(30)}x`]: '',
  }),
  'charts in charts': smallChart('shop', {
    ...below('charts/a', smallChart('a')),
    ...below('charts/a/charts/b', smallChart('b')),
    ...below('charts/a/charts/b/charts/c', smallChart('c')),
    ...below('charts/a/charts/b/charts/c/charts/a', smallChart('a')),
  }),
  'long paths': smallChart('shop', {
    [`files/${longName}`]: 'one part of more than 100',
    [`more/${longName}/${longName}/x`]: 'more than 256',
    [`${'folder-of-ten/'.repeat(7)}x`]: 'about 100',
    [`${'folder-of-ten/'.repeat(15)}x`]: 'about 200',
    'files/a/': '',
  }),
  'a Chart.lock': smallChart('shop', {
    'Chart.yaml': chartYaml('shop', dependencies('sub')),
    'Chart.lock':
      '# made by helm\ndependencies:\n- name: sub\n  repository: ""\n  version: 1.4.0\ndigest: sha256:00\ngenerated: "2026-11-22T10:11:12.123+01:00"\n',
    'charts/sub.tgz': archived('sub', { 'Chart.lock': 'digest: sha256:11\n' }),
  }),
  'a Chart.lock that says nothing, and empty values': smallChart('shop', {
    'Chart.lock': '# nothing\n',
    'values.yaml': '',
    'templates/empty.yaml': '',
  }),
  'a chart of Helm 2 with requirements': {
    'Chart.yaml': 'apiVersion: v1\nname: old\nversion: 0.1.0\n',
    'requirements.yaml': `${dependencies('sub')}\n`,
    'requirements.lock': 'digest: sha256:00\n',
    'Chart.lock': 'digest: sha256:11\n',
    'charts/sub.tgz': archived('sub'),
  },
  'a chart of Helm 2 that does not say so': { 'Chart.yaml': 'name: old\nversion: 0.1.0\n', 'values.yaml': values },
  'a chart that still has the lock and the empty requirements of Helm 2': smallChart('shop', {
    'requirements.yaml': '# moved\n',
    'requirements.lock': 'digest: sha256:00\n',
    'Chart.lock': 'digest: sha256:11\n',
  }),
  'locks of which the last one says nothing': smallChart('shop', {
    'Chart.lock': 'digest: sha256:11\n',
    'requirements.lock': '',
  }),
  'what helm passes over among the charts, and signatures': smallChart('shop', {
    'charts/_notes': 'x',
    'charts/.hidden': 'x',
    'charts/_old.tgz': 'no archive at all',
    'charts/_old/a.prov': 'kept',
    ...below('charts/_older', smallChart('sub')),
    ...below('charts/.git', { config: 'x' }),
    'charts/sub-1.4.0.tgz.prov': 'signature',
    'charts/sub-1.4.0.tgz': archived('sub', { 'a.prov': 'its own', 'charts/x.prov': 'its own, too' }),
    ...below('charts/folder', smallChart('renamed', { 'b.prov': 'of the one that vendors' })),
    'charts/.prov': 'x',
    'templates/x.prov': 'x',
  }),
  'a Chart.yaml with numbers, truth values, merges, and keys that nobody knows': {
    'Chart.yaml': [
      'x-common: &common {a: "1", b: "2"}',
      'apiVersion: "v2"',
      "name: 'shop'",
      'version: 1.4.0-rc.1+build.7',
      'appVersion: 20261122.10',
      'description: |',
      '  two',
      '  lines',
      'kubeVersion: ">=1.20.0-0"',
      'annotations: {<<: *common, c: yes, d: 012, e: 1234567, f: 2026-11-22, g: 1_000, h: 0.00001, i: ~, b: "3"}',
      'maintainers:',
      '  - {name: Me, email: me@x.io, url: https://x.io}',
      'keywords: [a, b]',
      'sources: ["https://x.io"]',
      'home: https://x.io',
      'icon: https://x.io/icon.png',
      'deprecated: true',
      'unknown: {deep: [1, 2]}',
      'name: shop',
    ].join('\n'),
  },
  'a version that is a number': { 'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.10\n' },
  'a version with a v in front, and a name with capitals and dots': {
    'Chart.yaml': 'apiVersion: v2\nname: My.Shop_2\nversion: v1.2\n',
  },
};
