/** What the OCI specification lets a client discover: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#content-discovery */
import { type Descriptor, isDigest, mediaTypes } from './content.ts';
import type { Call } from './core.ts';
import { type Answer, refuse } from './errors.ts';
import { findListed, linkNext, listTags, readPage, takePage } from './listing.ts';
import type { ManifestEntry } from './repository.ts';

/** `GET /v2/`: whether one is signed in. */
export function ping(): Answer {
  return { status: 200, headers: { 'Content-Type': 'application/json; charset=utf-8' }, body: '{}' };
}

/** `GET /v2/N/tags/list`. */
export function listOciTags(call: Call): Answer {
  const repository = findListed(call);
  const asked = readPage(call);
  const page = listTags(call, repository, asked);
  const headers = linkNext(call, `/v2/${call.repository}/tags/list`, page, asked);
  return { status: 200, headers, body: { name: call.repository, tags: page.names } };
}

/** `GET /v2/_catalog` and `GET /acr/v1/_catalog`. */
export function listCatalog(call: Call): Answer {
  const asked = readPage(call);
  const { frozen, hidden } = call.distortion;
  const names = call.core.world.catalog().filter(name => frozen === undefined || frozen.has(name));
  const { last } = asked;
  const page = takePage(names, asked.count, name => (last === undefined || name > last) && !hidden.has(name));
  const path = call.request.url?.startsWith('/acr/') ? '/acr/v1/_catalog' : '/v2/_catalog';
  return { status: 200, headers: linkNext(call, path, page, asked), body: { repositories: page.names } };
}

function describe(call: Call, entry: ManifestEntry): Descriptor {
  const { document } = entry;
  const fallback = call.core.behaviour.referrersConfigType ? document.config?.mediaType : undefined;
  const artifactType = document.artifactType ?? fallback;
  return {
    mediaType: entry.mediaType,
    digest: entry.digest,
    size: entry.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
}

/** `GET /v2/N/referrers/D`: never a 404 where the API exists, also for a repository that does not. */
export function listReferrers(call: Call): Answer {
  const { behaviour, world } = call.core;
  if (!behaviour.referrers) throw refuse(404, 'UNSUPPORTED', 'The operation is unsupported.');
  if (!isDigest(call.reference)) throw refuse(400, 'DIGEST_INVALID', 'invalid digest', { digest: call.reference });
  const { frozen, hidden } = call.distortion;
  const repository = frozen ? frozen.get(call.repository) : world.repository(call.repository);
  const wanted = behaviour.referrersFilter ? call.query.get('artifactType') : null;
  const descriptors = new Map(
    [...(repository?.referrers.get(call.reference) ?? [])]
      .map(digest => repository?.manifests.get(digest))
      .filter(entry => entry?.attributes.listEnabled === true)
      .map(entry => describe(call, entry as ManifestEntry))
      .filter(descriptor => wanted === null || descriptor.artifactType === wanted)
      .map(descriptor => [descriptor.digest, descriptor]),
  );
  const read = readPage(call);
  const asked = { ...read, count: Math.min(behaviour.referrersPage, call.query.has('n') ? read.count : Infinity) };
  const names = [...descriptors.keys()].sort().filter(name => asked.last === undefined || name > asked.last);
  const page = takePage(names, asked.count, name => !hidden.has(name));
  return {
    status: 200,
    headers: {
      'Content-Type': mediaTypes.ociIndex,
      ...linkNext(call, `/v2/${call.repository}/referrers/${call.reference}`, page, asked),
      ...(wanted === null ? {} : { 'OCI-Filters-Applied': 'artifactType' }),
    },
    body: {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: page.names.map(name => descriptors.get(name)),
    },
  };
}
