import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** What CONTRIBUTING.md says of imports and of deletion, held on the text of every source. */
const root = resolve(import.meta.dirname, '..');
const folders = ['core', 'tasks', 'webhook-handler', 'scripts', 'test'];

/** Sources by their path from the root. */
type Sources = ReadonlyMap<string, string>;

/** Where each part may import from, itself aside. */
const allowed: readonly (readonly [part: RegExp, from: RegExp])[] = [
  [/^core\/base\//, /^core\/base\//],
  [/^core\/oci\//, /^core\/(base|oci)\//],
  [/^core\/acr\//, /^core\/(base|oci|acr)\//],
  [/^core\/github\//, /^core\/(base|oci|github)\//],
  [/^core\/azure-devops\//, /^core\/(base|azure-devops)\//],
  [/^core\/helm\//, /^core\/(base|helm)\//],
  [/^core\/kubernetes\//, /^core\/(base|helm|kubernetes)\//],
  [/^core\/lifecycle\//, /^core\//],
  [/^core\//, /^$/],
  [/^tasks\/agent\//, /^(core|tasks\/agent)\//],
  [/^tasks\//, /^(core|tasks\/agent)\/|^package\.json$/],
  [/^webhook-handler\//, /^(core|webhook-handler)\/|^package\.json$/],
  [/^scripts\//, /^(core|tasks|webhook-handler|scripts|test)\//],
  [/^test\//, /^(core|tasks|webhook-handler|scripts|test)\//],
];

/** Packages that one place alone imports; tests may, to judge by. */
const housed: Readonly<Record<string, RegExp>> = {
  '@azure/container-registry': /^core\/acr\/sdk\.ts$/,
  '@azure/core-rest-pipeline': /^core\/acr\/sdk\.ts$/,
  '@azure/identity': /^core\/acr\/entra\.ts$/,
  'azure-devops-node-api': /^core\/azure-devops\/http\.ts$/,
  'typed-rest-client': /^core\/azure-devops\/http\.ts$/,
  'azure-pipelines-task-lib': /^tasks\/agent\//,
  '@kubernetes/client-node': /^core\/kubernetes\/kubeconfig\.ts$/,
  undici: /^(core\/oci\/(http|answer-body)\.ts|core\/kubernetes\/http\.ts|tasks\/agent\/.*|webhook-handler\/.*)$/,
  fastify: /^webhook-handler\//,
  fflate: /^core\/helm\/gzip\.ts$/,
};

/** Node's own modules that core may import. `node:http` is there for its types alone. */
const harmless = new Set(['node:crypto']);

/** What deletes, or lets something be deleted, and the one place that calls it. */
const deletions: Readonly<Record<string, string>> = {
  untag: 'core/lifecycle/remove.ts',
  deleteManifest: 'core/lifecycle/remove.ts',
  deleteLease: 'core/lifecycle/let-go-leases.ts',
};
const definedIn = new Set(['core/acr/untag.ts', 'core/oci/manifests.ts', 'core/azure-devops/leases.ts']);

interface Import {
  readonly from: string;
  readonly isType: boolean;
  readonly isLazy: boolean;
}

/** Code without its comments; a `//` behind a colon is part of an address. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const fixed = code.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const lazy = code.matchAll(/\b(?:import|require|createRequire\([^)]*\))\(\s*['"`]([^'"`]+)['"`]/g);
  return [
    ...[...fixed].map(([, type, from = '']) => ({ from, isType: type !== undefined, isLazy: false })),
    ...[...lazy].map(([, from = '']) => ({ from, isType: false, isLazy: true })),
  ];
}

function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

function judgePackage(path: string, { from, isType }: Import): string[] {
  if (/^(\/|file:)/.test(from)) return [`${path} imports ${from}, by an absolute path`];
  const home = housed[packageOf(from)];
  const isHome = home === undefined || home.test(path) || /^(test|scripts)\//.test(path);
  const isForbidden = path.startsWith('core/') && from.startsWith('node:') && !isType && !harmless.has(from);
  return [
    ...(isHome ? [] : [`${path} imports ${from}, which belongs elsewhere`]),
    ...(isForbidden ? [`${path} imports ${from}, and core touches nothing of the machine`] : []),
  ];
}

function judgeFile(path: string, { from }: Import, sources: Sources): string[] {
  const target = join(dirname(path), from);
  if (target.startsWith('..')) return [`${path} imports ${from}, outside the project`];
  const [, may] = allowed.find(([part]) => part.test(path)) ?? [];
  if (!may) return [`${path} has no place in the tree`];
  // A task is a bundle of its own: it knows the agent, and no other task.
  const isOwnTask = /^tasks\/(?!agent\/)/.test(path) && target.startsWith(`${path.split('/', 2).join('/')}/`);
  if (!may.test(target) && !isOwnTask) return [`${path} imports ${target}, against the direction`];
  return target.endsWith('.ts') && !sources.has(target) ? [`${path} imports ${target}, which is not there`] : [];
}

function judgeCore(path: string, text: string): string[] {
  const code = withoutComments(text);
  const words: Record<string, RegExp> = {
    process: /(?<![.\w-])process\s*(?:\.|\?\.|\[)/,
    console: /(?<![.\w-])console\s*\./,
    globalThis: /\bglobalThis\b/,
    'a listening server': /\.listen\(|\bcreateServer\b/,
    'eval or Function': /\beval\(|new Function\(/,
  };
  return Object.entries(words).flatMap(([word, pattern]) => (pattern.test(code) ? [`${path} uses ${word}`] : []));
}

/** Who sends an HTTP DELETE, and who calls those that do. */
function judgeDeletion(path: string, text: string): string[] {
  const code = withoutComments(text);
  const callers = Object.entries(deletions).flatMap(([name, deleter]) => {
    const isNamed =
      new RegExp(`import[^;]*\\b${name}\\b[^;]*from`).test(code) ||
      new RegExp(`(?<!function )\\b${name}\\(`).test(code);
    return isNamed && path !== deleter ? [`${path} calls ${name}, which ${deleter} alone does`] : [];
  });
  const sends = /\bmethod:\s*['"`]DELETE|\bmethod\s*=\s*['"`]DELETE/.test(code) && !definedIn.has(path);
  return [...callers, ...(sends ? [`${path} sends a DELETE`] : [])];
}

/** Circles among the files that are there when the program starts: types are gone by then. */
function findCycles(sources: Sources): string[] {
  const edges = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const loaded = importsOf(text).filter(each => each.from.startsWith('.') && !each.isLazy && !each.isType);
    edges.set(
      path,
      loaded.map(each => join(dirname(path), each.from)),
    );
  }
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(`a circle: ${[...trail.slice(at), path].join(' → ')}`);
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}

function judge(sources: Sources): string[] {
  const found = [...sources].flatMap(([path, text]) => [
    ...importsOf(text).flatMap(each =>
      each.from.startsWith('.') ? judgeFile(path, each, sources) : judgePackage(path, each),
    ),
    ...(path.startsWith('core/') ? [...judgeCore(path, text), ...judgeDeletion(path, text)] : []),
    ...(/^(tasks|webhook-handler)\//.test(path) ? judgeDeletion(path, text) : []),
    ...(text.trimEnd().split('\n').length > 400 ? [`${path} has more than 400 lines`] : []),
  ]);
  return [...found, ...findCycles(sources)];
}

async function readSources(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of await readdir(join(root, folder), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name).slice(root.length + 1);
      if (!entry.isFile() || !/\.[cm]?[jt]sx?$/.test(path) || path.includes('node_modules/')) continue;
      sources.set(path, await readFile(join(root, path), 'utf8'));
    }
  }
  return sources;
}

describe('the tree', () => {
  let sources: Map<string, string>;
  before(async () => {
    sources = await readSources();
    // Below are breaches as text.
    sources.delete('test/architecture.test.ts');
  });

  it('is as CONTRIBUTING.md says', () => {
    assert.ok(sources.size > 100, 'the sources were not found');
    assert.deepEqual(judge(sources), []);
  });

  it('has its deletions, and their one caller, where this test looks for them', () => {
    for (const [name, deleter] of Object.entries(deletions)) {
      assert.match(sources.get(deleter) ?? '', new RegExp(`\\b${name}\\(`));
    }
    for (const path of definedIn) assert.match(sources.get(path) ?? '', /method: 'DELETE'/);
    for (const [name, home] of Object.entries(housed)) {
      const users = [...sources].filter(([path, text]) => home.test(path) && text.includes(`'${name}`));
      if (name !== 'typed-rest-client') assert.ok(users.length > 0, `nobody imports ${name}`);
    }
  });

  const breaches: readonly (readonly [path: string, text: string, complaint: RegExp])[] = [
    ['core/base/x.ts', "import { isTag } from '../oci/reference.ts';", /against the direction/],
    ['core/oci/x.ts', "import {\n  untag,\n} from '../acr/untag.ts';", /against the direction/],
    ['core/oci/x.ts', "export * from '../lifecycle/tag.ts';", /against the direction/],
    ['core/acr/x.ts', "import type { Rules } from '../lifecycle/rules.ts';", /against the direction/],
    ['core/acr/x.ts', "import '../azure-devops/http.ts';", /against the direction/],
    ['core/azure-devops/x.ts', "import { createHttp } from '../oci/http.ts';", /against the direction/],
    ['core/lifecycle/x.ts', "import { readInput } from '../../tasks/agent/input.ts';", /against the direction/],
    ['core/lifecycle/x.ts', "const x = await import('../../webhook-handler/app.ts');", /against the direction/],
    ['core/new/x.ts', "import { isTag } from '../oci/reference.ts';", /against the direction/],
    ['tasks/TagImage/x.ts', "import { app } from '../../webhook-handler/app.ts';", /against the direction/],
    ['tasks/Other/x.ts', "import { readImages } from '../TagImage/images.ts';", /against the direction/],
    ['tasks/agent/x.ts', "import { readImages } from '../TagImage/images.ts';", /against the direction/],
    ['webhook-handler/x.ts', "import { acr } from '../test/emulators/acr/acr.ts';", /against the direction/],
    ['core/oci/x.ts', "import { a } from './not-there.ts';", /not there/],
    ['test/x.test.ts', "import { a } from '../../elsewhere/x.ts';", /outside the project/],
    ['test/x.test.ts', "import { a } from '/elsewhere/x.ts';", /absolute path/],
    ['core/oci/x.ts', "import { readFile } from 'node:fs/promises';", /nothing of the machine/],
    ['core/lifecycle/x.ts', "import { createServer } from 'node:http';", /nothing of the machine/],
    ['core/lifecycle/x.ts', "import process from 'node:process';", /nothing of the machine/],
    ['core/lifecycle/x.ts', "const fs = await import('node:fs');", /nothing of the machine/],
    ['core/oci/x.ts', "const host = process.env['HOST'];", /uses process/],
    ['core/oci/x.ts', "const { env } = globalThis['process'];", /uses globalThis/],
    ['core/oci/x.ts', "console.log('here');", /uses console/],
    ['core/oci/x.ts', 'server.listen(80);', /uses a listening server/],
    ['core/acr/x.ts', "import { ContainerRegistryClient } from '@azure/container-registry';", /belongs elsewhere/],
    ['core/acr/x.ts', "const sdk = await import('@azure/container-registry');", /belongs elsewhere/],
    ['core/azure-devops/x.ts', "import { WebApi } from 'azure-devops-node-api';", /belongs elsewhere/],
    ['core/azure-devops/x.ts', "import type { I } from 'typed-rest-client/RestClient.js';", /belongs elsewhere/],
    ['tasks/TagImage/x.ts', "import * as tl from 'azure-pipelines-task-lib/task.js';", /belongs elsewhere/],
    ['tasks/agent/x.ts', "import fastify from 'fastify';", /belongs elsewhere/],
    ['core/lifecycle/x.ts', "import { untag } from '../acr/untag.ts';", /calls untag/],
    [
      'core/lifecycle/x.ts',
      "import * as m from '../oci/manifests.ts';\nm.deleteManifest(r, d);",
      /calls deleteManifest/,
    ],
    ['core/lifecycle/x.ts', "import { untag as release } from '../acr/untag.ts';", /calls untag/],
    ['webhook-handler/x.ts', "import { deleteManifest } from '../core/oci/manifests.ts';", /calls deleteManifest/],
    ['core/lifecycle/x.ts', "import { deleteLease } from '../azure-devops/leases.ts';", /calls deleteLease/],
    ['core/lifecycle/remove.ts', "import { deleteLease } from '../azure-devops/leases.ts';", /calls deleteLease/],
    ['core/lifecycle/let-go-leases.ts', "import { untag } from '../acr/untag.ts';", /calls untag/],
    [
      'tasks/PromoteImage/x.ts',
      "import * as l from '../../core/azure-devops/leases.ts';\nl.deleteLease(a, p, 1);",
      /calls deleteLease/,
    ],
    ['core/oci/x.ts', "registry.exchange({ method: 'DELETE', path });", /sends a DELETE/],
    ['core/azure-devops/builds.ts', "ado.ask({ what, method: 'DELETE', path });", /sends a DELETE/],
    ['tasks/TagImage/x.ts', "fetch(url, { method: 'DELETE' });", /sends a DELETE/],
    ['core/oci/reference.ts', "import { getManifest } from './manifests.ts';", /a circle: .*core\/oci\/reference\.ts/],
    ['test/x.test.ts', 'a;\n'.repeat(401), /more than 400 lines/],
  ];
  for (const [path, text, complaint] of breaches) {
    it(`would not be with ${JSON.stringify(text.slice(0, 70))} in ${path}`, () => {
      const complaints = judge(new Map([...sources, [path, `${sources.get(path) ?? ''}\n${text}`]]));
      assert.ok(
        complaints.some(each => complaint.test(each)),
        `nobody complained: ${complaints.join('; ')}`,
      );
    });
  }

  it('is not accused by a comment, a type of Node, or a word like another', () => {
    const fine = [
      "/* import { x } from '../lifecycle/tag.ts'; */",
      '// console.log(process.env) and untag(repository, tag)',
      "import type { IncomingHttpHeaders } from 'node:http';",
      "const text = 'https://registry.invalid'; const untagged = isUntagged(text); preprocess.x;",
    ];
    const complaints = judge(new Map([...sources, ['core/oci/x.ts', fine.join('\n')]]));
    assert.deepEqual(
      complaints.filter(each => each.includes('core/oci/x.ts')),
      [],
    );
  });
});
