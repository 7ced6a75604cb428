/** Manifests: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
import {
  algorithmOf,
  blobsOf,
  type Descriptor,
  digestOf,
  isDigest,
  isForeign,
  isIndexType,
  isManifestType,
  isRepositoryName,
  isTag,
  type ManifestDocument,
  mediaTypes,
} from './content.ts';
import type { Call } from './core.ts';
import {
  type Answer,
  digestInvalid,
  type ErrorItem,
  manifestUnknown,
  nameUnknown,
  refuse,
  refuseWith,
} from './errors.ts';
import { checkDelete, checkPush, checkRead, checkUntag } from './locks.ts';
import type { ManifestEntry, Repository } from './repository.ts';
import { isKnown } from './world.ts';

const maxManifest = 4 * 1024 * 1024;

function findRepository(call: Call): Repository {
  const repository = call.core.world.repository(call.repository);
  if (!isKnown(repository)) throw nameUnknown(call.repository);
  return repository;
}

function findManifest(call: Call): [Repository, ManifestEntry] {
  const repository = findRepository(call);
  const entry = call.core.world.manifest(call.repository, call.reference);
  if (entry === undefined) throw manifestUnknown(call.repository, call.reference);
  return [repository, entry];
}

/** A wildcard does not count, as in the registry that ACR grew from. */
function acceptsIndex(call: Call): boolean {
  const accepted = (call.request.headers.accept ?? '').split(',').map(item => (item.split(';')[0] ?? '').trim());
  return accepted.some(isIndexType);
}

/** GET and HEAD: the bytes as they were pushed. */
export function getManifest(call: Call): Answer {
  const [repository, entry] = findManifest(call);
  if (call.core.behaviour.indexNeedsAccept && isIndexType(entry.mediaType) && !acceptsIndex(call)) {
    throw refuse(404, 'MANIFEST_UNKNOWN', 'OCI index found, but accept header does not support OCI indexes');
  }
  checkRead(repository, entry, call.reference);
  const headers = {
    'Content-Type': entry.mediaType,
    'Docker-Content-Digest': entry.digest,
    ETag: `"${entry.digest}"`,
  };
  return { status: 200, headers, body: entry.bytes };
}

function parse(bytes: Buffer): ManifestDocument {
  try {
    const read = JSON.parse(bytes.toString()) as unknown;
    if (typeof read === 'object' && read !== null) return read;
  } catch {
    // Said below, in the registry's own words.
  }
  throw refuse(400, 'MANIFEST_INVALID', 'manifest invalid', 'the body is no JSON object');
}

function readMediaType(call: Call, document: ManifestDocument): string {
  const given = (call.request.headers['content-type'] ?? '').split(';')[0] as string;
  const mediaType = given === '' ? (document.mediaType ?? '') : given;
  if (!isManifestType(mediaType)) {
    throw refuse(400, 'MANIFEST_INVALID', 'manifest invalid', `unknown media type ${mediaType}`);
  }
  if (document.mediaType !== undefined && document.mediaType !== mediaType) {
    const detail = `mediaType in manifest should be '${mediaType}' not '${document.mediaType}'`;
    throw refuse(400, 'MANIFEST_INVALID', 'manifest invalid', detail);
  }
  return mediaType;
}

/** https://github.com/inspektor-gadget/inspektor-gadget/issues/2289 */
function checkArtifactType(document: ManifestDocument): void {
  if (document.config?.mediaType !== mediaTypes.empty || document.artifactType) return;
  throw refuse(400, 'MANIFEST_INVALID', 'manifest invalid', 'using empty config descriptor requires artifactType');
}

function listMissing(descriptors: readonly Descriptor[], isThere: (descriptor: Descriptor) => boolean): ErrorItem[] {
  return descriptors
    .filter(descriptor => !isThere(descriptor))
    .map(({ digest }) => ({
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: 'blob unknown to registry',
      detail: { digest },
    }));
}

/**
 * Whether a child of an index is there. A build cache is an index of blobs, which the registry that ACR grew from takes:
 * https://github.com/distribution/distribution/blob/v2.8.2/registry/storage/registry.go (`Manifests`, its link paths)
 */
function hasChild(repository: Repository | undefined, child: Descriptor): boolean {
  if (repository?.manifests.has(child.digest)) return true;
  return !isManifestType(child.mediaType) && repository?.blobs.has(child.digest) === true;
}

/** A `subject` need not be there; everything else that a manifest names must: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#push */
function checkReferences(call: Call, document: ManifestDocument): void {
  const repository = call.core.world.repository(call.repository);
  const errors = [
    ...listMissing(blobsOf(document), blob => isForeign(blob) || repository?.blobs.has(blob.digest) === true),
    ...listMissing(document.manifests ?? [], child => hasChild(repository, child)),
  ];
  if (errors.length > 0) throw refuseWith(400, errors);
}

function checkNames(call: Call): void {
  if (!isRepositoryName(call.repository)) throw refuse(400, 'NAME_INVALID', 'invalid repository name');
  if (call.reference.includes(':')) {
    if (!isDigest(call.reference)) throw digestInvalid(call.reference);
  } else if (!isTag(call.reference)) {
    throw refuse(400, 'TAG_INVALID', 'manifest tag did not match URI', call.reference);
  }
}

/** PUT: stores the bytes verbatim, by digest or under a tag, which moves. */
export async function putManifest(call: Call): Promise<Answer> {
  const { world, behaviour } = call.core;
  checkNames(call);
  const bytes = await call.body();
  if (bytes.length > maxManifest) {
    throw refuse(413, 'MANIFEST_INVALID', 'manifest invalid', `manifest is larger than ${maxManifest} bytes`);
  }
  const byDigest = isDigest(call.reference);
  const algorithm = byDigest ? algorithmOf(call.reference) : 'sha256';
  const digest = digestOf(bytes, algorithm);
  if (byDigest && digest !== call.reference) throw digestInvalid(call.reference);
  const document = parse(bytes);
  const mediaType = readMediaType(call, document);
  checkArtifactType(document);
  checkPush(world.repository(call.repository), call.reference, digest);
  if (!behaviour.takesIncomplete) checkReferences(call, document);
  world.putManifest(call.repository, bytes, { mediaType, algorithm, tags: byDigest ? [] : [call.reference] });
  const subject = behaviour.referrers ? document.subject?.digest : undefined;
  return {
    status: 201,
    headers: {
      Location: `/v2/${call.repository}/manifests/${digest}`,
      'Docker-Content-Digest': digest,
      ...(subject === undefined ? {} : { 'OCI-Subject': subject }),
    },
  };
}

/** DELETE: by digest, the manifest with all its tags; by tag, what that switch says. */
export function deleteManifest(call: Call): Answer {
  const { world, behaviour } = call.core;
  const byTag = !call.reference.includes(':');
  if (byTag && behaviour.deleteByTag === 'refuse') {
    throw refuse(405, 'UNSUPPORTED', 'The operation is unsupported.');
  }
  const [repository, entry] = findManifest(call);
  if (byTag && behaviour.deleteByTag === 'tag') {
    checkUntag(repository, call.reference);
    world.untag(call.repository, call.reference);
    return { status: 202 };
  }
  checkDelete(call.core, repository, entry);
  world.deleteManifest(call.repository, entry.digest);
  return { status: 202 };
}
