/** What the tests of the copy share: registries to copy between, filled without our own code, and whole runs. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { Clock } from '../../../core/base/clock.ts';
import { groupBy } from '../../../core/base/group-by.ts';
import { type Logger, silentLog } from '../../../core/base/log.ts';
import { defaultRetryPolicy, type RetryPolicy } from '../../../core/base/retry.ts';
import { type CopyPath } from '../../../core/oci/copy.ts';
import { type CopiedImage, type CopyImagesOptions, copyImages, lookAtImages } from '../../../core/oci/copy-images.ts';
import { type CopyOptions, type CopyRun, createCopyRun } from '../../../core/oci/copy-run.ts';
import type { Credentials } from '../../../core/oci/credentials.ts';
import { createHttp, type Http } from '../../../core/oci/http.ts';
import { parseManifest } from '../../../core/oci/manifest.ts';
import { openRegistry } from '../../../core/oci/registry.ts';
import { openRepository, type Repository } from '../../../core/oci/repository.ts';
import { type ImageSource, repositorySource } from '../../../core/oci/source.ts';
import { type AcrEmulator, startAcr } from '../../emulators/acr/acr.ts';
import type { Behaviour } from '../../emulators/acr/behaviour.ts';
import { createClock } from '../../emulators/settable-clock.ts';
import { createTls } from '../../emulators/tls.ts';
import { type DockerRegistry, startDockerRegistry } from '../../support/docker-registry.ts';
import { type Content, flatten } from '../../support/images.ts';
import { isManifest, makeReferrersList, type Shape } from '../../support/shapes.ts';
import { admin, anonymous, createCollectingLog } from './world.ts';

/** The kinds of registry there are. */
export type Kind = 'docker-registry' | 'ACR';

/** A registry that runs, and how it is filled and looked at without our own code. */
export interface Site {
  readonly kind: Kind;
  /** For skopeo. */
  readonly host: string;
  readonly username?: string;
  readonly password?: string;
  /** Where it is an emulator. */
  readonly acr?: AcrEmulator;
  open(name: string): Repository;
  /** Puts a content and all that it points at, with tags. */
  put(repository: string, content: Content, tags?: readonly string[]): Promise<void>;
  /** The bytes of a blob; undefined where there is none. */
  readBlob(repository: string, digest: string): Promise<Buffer | undefined>;
}

/** Two registries and one client of both, whose waits are over at once. */
export interface CopyWorld {
  readonly source: Site;
  readonly target: Site;
  readonly http: Http;
  readonly log: ReturnType<typeof createCollectingLog>;
  /** Requests that were sent since the last call, as `METHOD path status`. */
  sent(): string[];
  close(): Promise<void>;
}

/** No request is sent again. */
export const onlyOnce: RetryPolicy = { ...defaultRetryPolicy, attempts: 1 };

/** How to start two registries. */
export interface CopyWorldOptions {
  readonly source?: Kind;
  readonly target?: Kind;
  readonly targetBehaviour?: Partial<Behaviour>;
  readonly sourceBehaviour?: Partial<Behaviour>;
  readonly retryPolicy?: RetryPolicy;
  /** To each host, at most; as many as the product makes unless told. */
  readonly connections?: number;
}

const anyTime: Clock = { now: () => Date.now(), sleep: () => new Promise(resolve => setImmediate(resolve)) };

/** Starts two registries: emulators unless told otherwise. */
export async function startCopyWorld(options: CopyWorldOptions = {}): Promise<CopyWorld> {
  const { retryPolicy, connections } = options;
  const tls = await createTls();
  const clock = createClock();
  const log = createCollectingLog();
  const dispatcher = connections && new Agent({ connections, connect: { ca: tls.ca } });
  const http = createHttp({
    ca: tls.ca,
    clock: anyTime,
    log,
    ...(retryPolicy && { retryPolicy }),
    ...(dispatcher && { dispatcher }),
  });
  const start = async (
    kind: Kind = 'ACR',
    behaviour: Partial<Behaviour> = {},
  ): Promise<[Site, () => Promise<void>]> => {
    if (kind === 'ACR') {
      const acr = await startAcr({ tls, clock, behaviour });
      return [acrSite(acr, http), () => acr.close()];
    }
    const docker = await startDockerRegistry();
    return [dockerSite(docker, http), () => docker.stop()];
  };
  const [source, endSource] = await start(options.source, options.sourceBehaviour);
  const [target, endTarget] = await start(options.target, options.targetBehaviour);
  return {
    source,
    target,
    http,
    log,
    sent: () => takeSent(log.lines),
    async close() {
      await http.close();
      await Promise.all([endSource(), endTarget()]);
    },
  };
}

function takeSent(lines: string[]): string[] {
  const sent = lines.flatMap(line => /^#\d+ (\S+) [^/]*(\S+) (\d+)/.exec(line)?.slice(1).join(' ') ?? []);
  lines.length = 0;
  return sent;
}

function openOn(address: string, credentials: Credentials, http: Http): (name: string) => Repository {
  const registry = openRegistry({ address, credentials, http });
  return name => openRepository(registry, name, ['pull', 'push']);
}

function acrSite(acr: AcrEmulator, http: Http): Site {
  return {
    kind: 'ACR',
    host: acr.host,
    username: 'admin',
    password: 'admin-password',
    acr,
    open: openOn(acr.host, admin, http),
    async put(repository, root, tags = []) {
      for (const each of flatten(root).reverse()) {
        if (isManifest(each)) acr.world.putManifest(repository, each.bytes, { mediaType: each.mediaType });
        else acr.world.putBlob(repository, each.bytes);
      }
      for (const tag of tags) acr.world.tag(repository, tag, root.digest);
    },
    async readBlob(repository, digest) {
      return acr.world.repository(repository)?.blobs.has(digest) ? acr.world.blobs.read(digest) : undefined;
    },
  };
}

async function callDocker(method: string, url: string, body?: Content): Promise<Response> {
  const headers = { 'content-type': body && isManifest(body) ? body.mediaType : 'application/octet-stream' };
  const answer = await fetch(url, { method, headers, ...(body && { body: new Uint8Array(body.bytes) }) });
  assert.ok(answer.ok, `${method} ${url} ${answer.status} ${await answer.clone().text()}`);
  return answer;
}

function dockerSite({ host }: DockerRegistry, http: Http): Site {
  return {
    kind: 'docker-registry',
    host,
    open: openOn(`http://${host}`, anonymous, http),
    async put(repository, root, tags = []) {
      const base = `http://${host}/v2/${repository}`;
      for (const each of flatten(root).reverse()) {
        if (isManifest(each)) {
          await callDocker('PUT', `${base}/manifests/${each.digest}`, each);
        } else {
          const { headers } = await callDocker('POST', `${base}/blobs/uploads/`);
          await callDocker('PUT', `${headers.get('location')}&digest=${each.digest}`, each);
        }
      }
      for (const tag of tags) await callDocker('PUT', `${base}/manifests/${tag}`, root);
    },
    async readBlob(repository, digest) {
      const answer = await fetch(`http://${host}/v2/${repository}/blobs/${digest}`);
      return answer.status === 404 ? undefined : Buffer.from(await answer.arrayBuffer());
    },
  };
}

/** Puts a shape with everything about it; where there is no referrers API, with the lists that clients keep instead. */
export async function putShape(site: Site, repository: string, shape: Shape, tags = ['v1']): Promise<void> {
  const { root, referrers = [], digestTags = {} } = shape;
  await site.put(repository, root, tags);
  for (const referrer of referrers) await site.put(repository, referrer);
  for (const [tag, content] of Object.entries(digestTags)) await site.put(repository, content, [tag]);
  if (site.acr?.behaviour.referrers) return;
  for (const [tag, list] of referrersLists(shape)) await site.put(repository, list, [tag]);
}

/** The lists of the tag schema, by tag. */
export function referrersLists(shape: Shape): Map<string, Content> {
  const lists = [...referrersBySubject(shape)].map(
    ([digest, all]) => [digest.replace(':', '-'), makeReferrersList(all)] as const,
  );
  return new Map(lists);
}

/** What refers to what. */
export function referrersBySubject({ referrers = [] }: Shape): Map<string, Content[]> {
  return groupBy(
    referrers,
    ({ bytes }) => (JSON.parse(bytes.toString()) as { subject: { digest: string } }).subject.digest,
  );
}

/** A log that keeps the warnings alone. */
export function createWarnings(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  return { ...silentLog, warnings, warn: message => warnings.push(message) };
}

/** What to copy, and how. */
export interface Errand extends CopyPath {
  readonly root: Content;
  readonly tags?: readonly string[];
}

/** One whole run, as PromoteImage makes it. */
export async function copyAll(
  errands: readonly Errand[],
  options: CopyOptions & Partial<CopyImagesOptions> = {},
): Promise<{ readonly run: CopyRun; readonly copied: CopiedImage[] }> {
  const run = createCopyRun(options);
  const images = errands.map(({ source, target, root, tags = ['v1'] }) => ({
    source,
    target,
    root: root.digest,
    tags,
  }));
  const states = await lookAtImages(run, images);
  return { run, copied: await copyImages(run, states, { referrers: true, ...options }) };
}

/** An errand between the two registries of a world, with the same repository on both sides. */
export function errand(world: CopyWorld, repository: string, root: Content, tags?: readonly string[]): Errand {
  const source = repositorySource(world.source.open(repository));
  return { source, target: world.target.open(repository), root, ...(tags && { tags }) };
}

/** A source that gives these contents, and lies where it is told to. */
export function contentSource(contents: readonly Content[], lies: Partial<ImageSource> = {}): ImageSource {
  const all = new Map(contents.flatMap(flatten).map(each => [each.digest, each]));
  return {
    label: 'a source',
    async getManifest(digest) {
      const found = all.get(digest);
      return found && isManifest(found) ? parseManifest(found.bytes, found.mediaType, digest) : undefined;
    },
    openBlob: async blob => Readable.from([all.get(blob.digest)?.bytes ?? assert.fail(blob.digest)]),
    listReferrers: async () => [],
    listDigestTags: async () => [],
    ...lies,
  };
}
