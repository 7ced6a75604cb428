/** A registry, an agent with or without a helm, charts on its disk, and PackageChart between them. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Helm, runHelm } from '../support/helm.ts';
import { type Content, makeImage } from '../support/images.ts';
import { runTask, type TaskOutcome, type TaskRun } from '../support/run-task.ts';
import { assertSucceeded, connectionTo, openBench as openTagging, type Bench as TaggingBench } from './step.ts';

/** The files of a chart by their paths. */
export type ChartFiles = Readonly<Record<string, string>>;

/** What a test of PackageChart works with. */
export interface Bench extends TaggingBench {
  /** Runs PackageChart with a Docker registry connection, with this helm on PATH or with none; `more` comes over that. */
  pack(inputs: Record<string, string>, helm?: Helm, more?: Partial<TaskRun>): Promise<TaskOutcome>;
  /** Pushes images and has TagImage record them, as a build does. */
  build(images: Readonly<Record<string, Content>>, more?: Partial<TaskRun>): Promise<void>;
  /** Writes a chart below the sources. */
  write(folder: string, files: ChartFiles): Promise<void>;
  /** The names in the output folder; empty where there is none. */
  written(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts a registry, and makes an agent's folders. */
export async function openBench(): Promise<Bench> {
  const bench = await openTagging();
  const { agent, registry } = bench;
  return {
    ...bench,
    pack: (inputs, helm, more = {}) =>
      runTask(agent, {
        task: 'PackageChart',
        inputs: { connectionType: 'dockerRegistry', containerRegistry: 'registry-connection', ...inputs },
        endpoints: { 'registry-connection': connectionTo(registry) },
        path: pathWith(helm),
        ...more,
      }),
    build: async (images, more) => {
      for (const [repository, image] of Object.entries(images)) await bench.push(`${repository}:built`, image);
      const lines = Object.keys(images).map(repository => `${repository}:built`);
      assertSucceeded(await bench.tag({ images: lines.join('\n') }, more));
    },
    write: (folder, files) => writeFiles(join(agent.sources, folder), files),
    written: () => readdir(outputOf(agent.staging)).catch(() => []),
  };
}

/** The folder that the step writes to. */
export function outputOf(staging: string): string {
  return join(staging, 'image-lifecycle');
}

/** The machine's PATH without any helm of its own, with this one in front. */
function pathWith(helm: Helm | undefined): string {
  const folders = (process.env['PATH'] ?? '').split(':').filter(folder => !folder.includes('node_modules'));
  return [...(helm ? [dirname(helm.path)] : []), ...folders].join(':');
}

/** Writes files into a folder. */
export async function writeFiles(folder: string, files: ChartFiles): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** A chart of one deployment, as people write them: with comments, and a value that is nobody's business. */
export function chartOf(name: string, repository: string, more: ChartFiles = {}): ChartFiles {
  return {
    'Chart.yaml': `# Of the shop.\napiVersion: v2\nname: ${name}\nversion: 1.4.0 # raised by hand\nappVersion: "1.4"\n`,
    'values.yaml': `# What runs.\nimage:\n  repository: ${repository}\n  tag: latest # pinned by the build\npassword: hunter2\nenabled: true\n`,
    'templates/deployment.yaml': [
      '{{- if .Values.enabled }}',
      'apiVersion: apps/v1',
      'kind: Deployment',
      'metadata:',
      `  name: ${name}`,
      'spec:',
      `  selector: { matchLabels: { app: ${name} } }`,
      '  template:',
      `    metadata: { labels: { app: ${name} } }`,
      '    spec:',
      '      containers:',
      `        - name: ${name}`,
      '          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"',
      '{{- end }}',
      '',
    ].join('\n'),
    ...more,
  };
}

/** Every image that helm renders of an archive or a folder, as it stands there, in order and once. */
export async function renderedImages(helm: Helm, path: string, values: readonly string[] = []): Promise<string[]> {
  const args = ['template', 'release', path, ...values.flatMap(file => ['--values', file])];
  const manifests = await runHelm(helm, args, dirname(path));
  const images = [...manifests.matchAll(/^\s*(?:- )?image:\s*"?([^"\s]+)"?\s*$/gm)].map(match => match[1] ?? '');
  return [...new Set(images)].sort();
}

/** A chart as images.json lists it. */
export interface ListedChart {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  readonly reference?: string;
  readonly digest?: string;
  readonly pins: readonly { readonly repository: string; readonly digest: string; readonly values: object }[];
}

/** The file that the step wrote. */
export async function readImagesJson(staging: string): Promise<{
  build: { id: number };
  registry: string;
  images: { repository: string; digest: string; tags: string[] }[];
  charts?: ListedChart[];
}> {
  return JSON.parse(await readFile(join(outputOf(staging), 'images.json'), 'utf8'));
}

/** The two images of the tests' builds. */
export const [web, api] = [makeImage('web', { layers: 1 }), makeImage('api', { layers: 1 })] as const;
