/** What only Azure Container Registry has: https://learn.microsoft.com/rest/api/containerregistry/ (2021-07-01) */
import { blobsOf } from './content.ts';
import type { Call } from './core.ts';
import { type Answer, manifestUnknown, nameUnknown, refuse } from './errors.ts';
import { findListed, linkNext, listTags, readPage, takePage, walk } from './listing.ts';
import { checkDeleteRepository, checkUntag } from './locks.ts';
import type { Attributes, ManifestEntry, Repository, TagEntry } from './repository.ts';
import { isKnown } from './world.ts';

/** Times have seven decimals, as recorded from a live registry. */
function writeTime(microseconds: number): string {
  const text = new Date(Math.floor(microseconds / 1000)).toISOString();
  return `${text.slice(0, -1)}${String(Math.floor(microseconds % 1000)).padStart(3, '0')}0Z`;
}

function frame(call: Call): { registry: string; imageName: string } {
  return { registry: call.core.host, imageName: call.repository };
}

function findRepository(call: Call): Repository {
  const repository = call.core.world.repository(call.repository);
  if (!isKnown(repository)) throw nameUnknown(call.repository);
  return repository;
}

function writeTag(tag: TagEntry): object {
  return {
    name: tag.name,
    digest: tag.digest,
    createdTime: writeTime(tag.createdTime),
    lastUpdateTime: writeTime(tag.lastUpdateTime),
    signed: false,
    changeableAttributes: { ...tag.attributes },
  };
}

/** The key `tags` is absent, not empty, when there are none to show. */
function writeManifest(call: Call, repository: Repository, entry: ManifestEntry): object {
  const { hidden } = call.distortion;
  const names = [...entry.tags]
    .filter(name => repository.tags.get(name)?.attributes.listEnabled === true && !hidden.has(name))
    .sort()
    .slice(0, call.core.behaviour.tagsPerManifest);
  const configMediaType = entry.document.config?.mediaType;
  return {
    digest: entry.digest,
    imageSize: entry.bytes.length + blobsOf(entry.document).reduce((total, blob) => total + (blob.size ?? 0), 0),
    createdTime: writeTime(entry.createdTime),
    lastUpdateTime: writeTime(entry.lastUpdateTime),
    ...entry.platform,
    mediaType: entry.mediaType,
    ...(configMediaType === undefined ? {} : { configMediaType }),
    ...(names.length === 0 ? {} : { tags: names }),
    changeableAttributes: { ...entry.attributes },
  };
}

function writeRepository(call: Call, repository: Repository): object {
  return {
    ...frame(call),
    createdTime: writeTime(repository.createdTime),
    lastUpdateTime: writeTime(repository.lastUpdateTime),
    // Hidden entries count, so that a reader can tell that a listing is not whole.
    manifestCount: repository.manifests.size,
    tagCount: repository.tags.size,
    changeableAttributes: { ...repository.attributes, teleportEnabled: false },
  };
}

async function readChanges(call: Call): Promise<Partial<Attributes>> {
  let read: Record<string, unknown>;
  try {
    read = JSON.parse((await call.body()).toString() || '{}') as Record<string, unknown>;
  } catch {
    throw refuse(400, 'UNSUPPORTED', 'the body is no JSON');
  }
  const names = ['deleteEnabled', 'writeEnabled', 'readEnabled', 'listEnabled'] as const;
  const changes = names.filter(name => typeof read[name] === 'boolean').map(name => [name, read[name]]);
  return Object.fromEntries(changes) as Partial<Attributes>;
}

/** `GET /acr/v1/N`. */
export function getRepository(call: Call): Answer {
  return { status: 200, body: writeRepository(call, findListed(call)) };
}

/** `PATCH /acr/v1/N`: also on a locked repository, or nobody could unlock it; moves no time. */
export async function patchRepository(call: Call): Promise<Answer> {
  const repository = findRepository(call);
  call.core.world.setAttributes(call.repository, undefined, await readChanges(call));
  return { status: 200, body: writeRepository(call, repository) };
}

/** `DELETE /acr/v1/N`: everything in it. */
export function deleteRepository(call: Call): Answer {
  checkDeleteRepository(findRepository(call));
  const gone = call.core.world.deleteRepository(call.repository);
  return { status: 202, body: { manifestsDeleted: gone?.manifests ?? [], tagsDeleted: gone?.tags ?? [] } };
}

/** `GET /acr/v1/N/_tags`. */
export function listAcrTags(call: Call): Answer {
  const repository = findListed(call);
  const asked = readPage(call);
  const page = listTags(call, repository, asked);
  const tags = page.names.map(name => writeTag(repository.tags.get(name) as TagEntry));
  const path = `/acr/v1/${encodeURIComponent(call.repository)}/_tags`;
  return { status: 200, headers: linkNext(call, path, page, asked), body: { ...frame(call), tags } };
}

function findTag(call: Call): TagEntry {
  const tag = findRepository(call).tags.get(call.reference);
  if (tag === undefined) throw refuse(404, 'TAG_UNKNOWN', 'the specified tag does not exist');
  return tag;
}

/** `GET /acr/v1/N/_tags/T`. */
export function getTag(call: Call): Answer {
  return { status: 200, body: { ...frame(call), tag: writeTag(findTag(call)) } };
}

/** `PATCH /acr/v1/N/_tags/T`. */
export async function patchTag(call: Call): Promise<Answer> {
  const tag = findTag(call);
  Object.assign(tag.attributes, await readChanges(call));
  return { status: 200, body: { ...frame(call), tag: writeTag(tag) } };
}

/** `DELETE /acr/v1/N/_tags/T`: the tag alone; its manifest stays, and names the digest that it pointed at. */
export function deleteTag(call: Call): Answer {
  const { digest } = findTag(call);
  checkUntag(findRepository(call), call.reference);
  call.core.world.untag(call.repository, call.reference);
  const headers = call.core.behaviour.untagDigestHeader ? { 'X-Ms-Int-Docker-Content-Digest': digest } : {};
  return { status: 202, headers };
}

/** `GET /acr/v1/N/_manifests`. */
export function listManifests(call: Call): Answer {
  const repository = findListed(call);
  const asked = readPage(call);
  const shows = (digest: string): boolean =>
    repository.manifests.get(digest)?.attributes.listEnabled === true && !call.distortion.hidden.has(digest);
  const page = takePage(walk(repository.manifestOrders, repository.manifests, asked), asked.count, shows);
  const manifests = page.names.map(digest =>
    writeManifest(call, repository, repository.manifests.get(digest) as ManifestEntry),
  );
  const path = `/acr/v1/${encodeURIComponent(call.repository)}/_manifests`;
  return { status: 200, headers: linkNext(call, path, page, asked), body: { ...frame(call), manifests } };
}

function findManifest(call: Call): [Repository, ManifestEntry] {
  const repository = findRepository(call);
  const entry = repository.manifests.get(call.reference);
  if (entry === undefined) throw manifestUnknown(call.repository, call.reference);
  return [repository, entry];
}

/** `GET /acr/v1/N/_manifests/D`. */
export function getManifestAttributes(call: Call): Answer {
  const [repository, entry] = findManifest(call);
  return { status: 200, body: { ...frame(call), manifest: writeManifest(call, repository, entry) } };
}

/** `PATCH /acr/v1/N/_manifests/D`. */
export async function patchManifestAttributes(call: Call): Promise<Answer> {
  const [repository, entry] = findManifest(call);
  Object.assign(entry.attributes, await readChanges(call));
  return { status: 200, body: { ...frame(call), manifest: writeManifest(call, repository, entry) } };
}
