/** Bundles what runs elsewhere: each task, the handler, and the emulators for the demo. One file each, no node_modules. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle, type Metafile, type Plugin } from 'esbuild';

const root = resolve(import.meta.dirname, '..');

/** What is built into one folder. */
interface Product {
  /** Below `dist`. */
  readonly folder: string;
  /** By the bundle's name, without `.js`. */
  readonly entries: Readonly<Record<string, string>>;
  /** The agent starts tasks as CommonJS; ours to start may wait at their top level. */
  readonly format: 'cjs' | 'esm';
  /** Files that lie next to the bundles. */
  readonly beside: readonly string[];
}

/** One bundle that was written. */
export interface BuiltFile {
  /** Below `dist`. */
  readonly path: string;
  readonly bytes: number;
}

/** Bundles every entry that exists, or those whose folder begins with `only`, into `dist`; gives what was written. */
export async function build(options: { folder?: string; only?: string } = {}): Promise<BuiltFile[]> {
  const { folder = join(root, 'dist'), only = '' } = options;
  const products = (await listProducts()).filter(product => `${product.folder}/`.startsWith(only));
  return (await Promise.all(products.map(product => buildOne(product, folder)))).flat();
}

async function listProducts(): Promise<Product[]> {
  const folders = await readdir(join(root, 'tasks'), { withFileTypes: true });
  const tasks = folders
    .filter(entry => existsSync(join(root, 'tasks', entry.name, 'task.json')))
    .map(({ name }) => ({
      folder: `tasks/${name}`,
      // `post` runs at the end of the job, in a task that has it.
      entries: existing({ index: `tasks/${name}/main.ts`, post: `tasks/${name}/post.ts` }),
      format: 'cjs' as const,
      beside: [`tasks/${name}/task.json`, `tasks/${name}/icon.png`],
    }));
  const format = 'esm' as const;
  const names = ['acr', 'arm', 'azure-devops', 'entra'];
  const emulators = Object.fromEntries(names.map(name => [name, `test/emulators/${name}/main.ts`]));
  return [
    ...tasks,
    { folder: 'webhook-handler', entries: { main: 'webhook-handler/main.ts' }, format, beside: [] },
    { folder: 'emulators', entries: existing(emulators), format, beside: [] },
  ];
}

function existing(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).filter(([, entry]) => existsSync(join(root, entry))));
}

async function buildOne({ folder, entries, format, beside }: Product, dist: string): Promise<BuiltFile[]> {
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: { ...entries },
    outdir: join(dist, folder),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    ...(format === 'esm' && { banner: { js: commonJsNames } }),
    minify: true,
    keepNames: true,
    legalComments: 'none',
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [withoutClients],
  });
  for (const { path, contents } of result.outputFiles) await writeWhole(path, contents);
  // Node looks upwards for this, so without it the folder above would decide what the bundle is.
  const type = format === 'cjs' ? 'commonjs' : 'module';
  await writeWhole(join(dist, folder, 'package.json'), `${JSON.stringify({ type })}\n`);
  // The emulators are shipped to nobody.
  if (folder !== 'emulators') {
    await writeWhole(join(dist, folder, 'THIRD_PARTY_NOTICES.txt'), await collectNotices(result.metafile));
  }
  for (const file of beside) await writeWhole(join(dist, file), await readFile(join(root, file)));
  return result.outputFiles.map(({ path, contents }) => ({
    path: relative(dist, path),
    bytes: contents.byteLength,
  }));
}

/**
 * What reads kubeconfigs in the client of Kubernetes brings every API there is with it, and a fetch: 630 KB that nothing here
 * calls. Calling them would be an error that says so.
 */
const withoutClients: Plugin = {
  name: 'without clients',
  setup(building) {
    building.onResolve({ filter: /^(\.\/gen\/index\.js|node-fetch)$/ }, ({ path, importer }) =>
      /client-node[/\\]dist[/\\]config\.js$/.test(importer) ? { path, namespace: 'left-out' } : undefined,
    );
    const names = ['createConfiguration', 'ServerConfiguration', 'Headers'];
    const refuse = "function() { throw new Error('This part of the client of Kubernetes is not in the bundle.'); }";
    const contents = names.map(each => `export const ${each} = ${refuse};`).join('\n');
    building.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents }));
  },
};

/** Bundled CommonJS packages ask for these, which a module does not have. */
const commonJsNames = [
  `import { createRequire as __createRequire } from 'node:module';`,
  `const require = __createRequire(import.meta.url);`,
  `const __filename = import.meta.filename, __dirname = import.meta.dirname;`,
].join('\n');

/** A process that starts meanwhile sees the old file or the new one, never half of one. */
async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.${process.pid}.partial`;
  await writeFile(partial, content);
  await rename(partial, path);
}

/** The licences of the packages that are really in the bundle. */
async function collectNotices(metafile: Metafile): Promise<string> {
  const used = Object.values(metafile.outputs).flatMap(output =>
    Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : [])),
  );
  const folders = new Set(used.flatMap(input => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []));
  const notices = await Promise.all([...folders].map(describePackage));
  const sorted = [...new Set(notices)].sort();
  return ['Third-party software in this file, with its licences.', ...sorted].join(`\n\n${'-'.repeat(80)}\n\n`);
}

async function describePackage(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const files = await readdir(join(root, folder));
  const licences = files.filter(file => /^(?:licen[cs]e|copying|notice|third-?party-?notice)/i.test(file)).sort();
  const texts = await Promise.all(licences.map(file => readFile(join(root, folder, file), 'utf8')));
  const title = `${String(manifest['name'])} ${String(manifest['version'])} (${String(manifest['license'])})`;
  return [title, ...texts.map(text => text.trim())].join('\n\n');
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for (const { path, bytes } of await build()) console.log(`dist/${path}  ${Math.round(bytes / 1024)} KB`);
}
