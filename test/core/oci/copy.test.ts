import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mapConcurrently } from '../../../core/base/concurrency.ts';
import { computeDigest } from '../../../core/oci/digest.ts';
import { isIndexType } from '../../../core/oci/media-types.ts';
import { type Content, flatten } from '../../support/images.ts';
import { blobsOf, isManifest, makeShapes, manifestsOf, type Shape } from '../../support/shapes.ts';
import { inspectDigest, skopeo } from '../../support/skopeo.ts';
import {
  type CopyWorld,
  copyAll,
  errand,
  type Kind,
  putShape,
  referrersBySubject,
  type Site,
  startCopyWorld,
} from './copy-world.ts';

interface Document {
  readonly config?: Content;
  readonly layers?: readonly Content[];
  readonly manifests?: readonly Content[];
}

/** Whether skopeo copies it as one image: it wants every layer, and of an index, images alone, each with its platform. */
function isOneImage({ bytes, mediaType }: Content, blobs: readonly Content[]): boolean {
  const { config, layers = [], manifests } = JSON.parse(bytes.toString()) as Document;
  if (manifests) return manifests.every(child => child.platform && isManifest(child) && !isIndexType(child.mediaType));
  const named = [...(config ? [config] : []), ...layers];
  return (
    isManifest({ mediaType } as Content) && named.every(({ digest }) => blobs.some(blob => blob.digest === digest))
  );
}

function digestsOf(root: Content): string[] {
  return flatten(root).map(({ digest }) => digest);
}

/** The digests of all that skopeo brings from there, which it verifies itself. */
async function copyAway(site: Site, reference: string): Promise<Set<string>> {
  const folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-copy-'));
  try {
    const credentials = site.username === undefined ? [] : ['--src-creds', `${site.username}:${site.password}`];
    const flags = ['--all', '--preserve-digests', '--src-tls-verify=false', ...credentials];
    await skopeo('copy', ...flags, `docker://${site.host}/${reference}`, `dir:${folder}`);
    const names = await readdir(folder);
    return new Set(await Promise.all(names.map(async name => computeDigest(await readFile(join(folder, name))))));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What skopeo reads at a tag that is a list. */
async function readList(site: Site, reference: string): Promise<Record<string, unknown>[]> {
  const credentials = site.username === undefined ? [] : ['--creds', `${site.username}:${site.password}`];
  const flags = ['--raw', '--tls-verify=false', ...credentials];
  const raw = await skopeo('inspect', ...flags, `docker://${site.host}/${reference}`);
  return (JSON.parse(raw) as { manifests: Record<string, unknown>[] }).manifests;
}

/** A registry with that API lists them itself, and in another one clients read them under a tag. */
async function assertReferrers(site: Site, repository: string, shape: Shape): Promise<void> {
  for (const [subject, referrers] of referrersBySubject(shape)) {
    const expected = referrers.map(({ digest }) => digest).sort();
    const there = site.acr?.world.repository(repository)?.referrers.get(subject);
    if (there) {
      assert.deepEqual([...there].sort(), expected);
      continue;
    }
    const list = await readList(site, `${repository}:${subject.replace(':', '-')}`);
    assert.deepEqual(list.map(({ digest }) => String(digest)).sort(), expected);
    for (const referrer of referrers) {
      const { mediaType, size, artifactType } = list.find(({ digest }) => digest === referrer.digest) ?? {};
      const said = (JSON.parse(referrer.bytes.toString()) as { artifactType?: string }).artifactType;
      assert.deepEqual(
        { mediaType, size, artifactType },
        { mediaType: referrer.mediaType, size: referrer.bytes.byteLength, artifactType: said },
      );
    }
  }
}

/** Everything under the tag and about it is in the repository, byte for byte, as skopeo reads it. */
async function assertWhole(site: Site, repository: string, shape: Shape): Promise<void> {
  const [manifests, blobs] = [manifestsOf(shape), blobsOf(shape)];
  for (const blob of blobs) assert.deepEqual(await site.readBlob(repository, blob.digest), blob.bytes);
  const tagged = Object.entries({ v1: shape.root, ...shape.digestTags }).map(
    ([tag, root]) => [`:${tag}`, root] as const,
  );
  const inside = new Set(manifests.filter(each => isOneImage(each, blobs)).flatMap(image => digestsOf(image).slice(1)));
  for (const [, { digest }] of tagged) inside.add(digest);
  const others = manifests.filter(({ digest }) => !inside.has(digest)).map(root => [`@${root.digest}`, root] as const);
  await mapConcurrently([...tagged, ...others], 2, async ([end, root]) => {
    if (!isOneImage(root, blobs)) {
      assert.equal(await inspectDigest(site, `${repository}${end}`), root.digest, end);
      return;
    }
    const there = await copyAway(site, `${repository}${end}`);
    for (const digest of digestsOf(root)) assert.ok(there.has(digest), `${end} lacks ${digest}`);
  });
  await assertReferrers(site, repository, shape);
}

for (const [source, target] of [
  ['docker-registry', 'docker-registry'],
  ['docker-registry', 'ACR'],
  ['ACR', 'docker-registry'],
  ['ACR', 'ACR'],
] as readonly [Kind, Kind][]) {
  describe(`a copy from ${source} to ${target}`, () => {
    const shapes = Object.entries(makeShapes()).map(([name, shape], at) => ({
      name,
      shape,
      repository: `shapes/s${at}`,
    }));
    let world: CopyWorld;
    before(async () => {
      world = await startCopyWorld({ source, target });
      for (const { repository, shape } of shapes) await putShape(world.source, repository, shape);
      // All in one run, so that what they share is shared.
      await copyAll(shapes.map(({ repository, shape }) => errand(world, repository, shape.root)));
    });
    after(() => world.close());

    for (const { name, shape, repository } of shapes) {
      it(`brings ${name}, digest for digest`, () => assertWhole(world.target, repository, shape));
    }
  });
}
