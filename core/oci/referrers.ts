/** What refers to a manifest. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-referrers */
import { AppError } from '../base/errors.ts';
import type { Digest } from './digest.ts';
import { type Descriptor, parseManifest } from './manifest.ts';
import { getManifest } from './manifests.ts';
import { isIndexType, ociIndex } from './media-types.ts';
import { nextLink } from './paging.ts';
import { type Repository, unexpectedAnswer } from './repository.ts';

/** Azure puts a hundred on a page; nothing that is used has more than these. */
const maxReferrers = 100_000;
const maxPages = 1000;

/** The tag under which signatures of `digest` are kept where there is no referrers API: `sha256-<hex>`. */
export function referrersTag(digest: Digest): string {
  return digest.replace(':', '-');
}

/**
 * The subject that a tag on `digest` is about: `sha256-<hex>` (tag schema, Notation) or `sha256-<hex>.sig|.att|.sbom` (cosign).
 * Undefined for every other tag. Nothing signs itself, so one that names its own digest is a name like any other: imgpkg
 * gives it to all that it copies. https://github.com/carvel-dev/imgpkg/releases/tag/v0.8.0
 */
export function subjectOfTag(tag: string, digest: Digest): Digest | undefined {
  const match = /^sha256-([0-9a-f]{64})(?:\.[A-Za-z0-9._-]+)?$/.exec(tag);
  return match && digest !== `sha256:${match[1]}` ? `sha256:${match[1]}` : undefined;
}

/**
 * Direct referrers of `digest`, of every artifact type (no registry's filter is trusted), pages joined.
 * Where the registry has no such API, those of the tag schema. Throws on any answer that is not a list.
 */
export async function listReferrers(repository: Repository, digest: Digest): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  const seen = new Set<string>();
  let next: string | undefined = `/v2/${repository.name}/referrers/${digest}`;
  while (next !== undefined) {
    if (seen.has(next)) {
      throw new AppError(`${repository.label}: the list of referrers of ${digest} leads back to itself.`, {
        code: 'REGISTRY_UNEXPECTED',
      });
    }
    if (seen.size >= maxPages || found.length > maxReferrers) {
      throw new AppError(
        `${repository.label}: the list of referrers of ${digest} has no end: ${seen.size} pages with ${found.length} were read.`,
        { code: 'TOO_LARGE' },
      );
    }
    seen.add(next);
    const what: string = `${repository.label}, referrers of ${digest}`;
    const answer = await repository.registry.exchange({
      method: 'GET',
      path: next,
      scope: repository.scope,
      headers: { accept: ociIndex },
      maxBytes: 16 * 1024 * 1024,
    });
    // 404 means that the API is not there: with it, an unknown digest has an empty list. So one shows what the 404 is worth.
    if (answer.status === 404 && seen.size === 1) {
      if (!(await hasReferrersApi(repository))) return readTagSchema(repository, digest);
    }
    if (answer.status !== 200) throw unexpectedAnswer(what, answer);
    found.push(...parseManifest(answer.bytes, ociIndex, what).children);
    next = nextLink(answer.headers['link'], next);
  }
  return found;
}

/** A digest that nothing has. */
const nobody: Digest = `sha256:${'0'.repeat(64)}`;

/** Whether the registry has the referrers API; without it clients keep a list under {@link referrersTag}. */
export async function hasReferrersApi(repository: Repository): Promise<boolean> {
  const answer = await repository.registry.exchange({
    method: 'GET',
    path: `/v2/${repository.name}/referrers/${nobody}`,
    scope: repository.scope,
    headers: { accept: ociIndex },
  });
  if (answer.status === 200 || answer.status === 404) return answer.status === 200;
  throw unexpectedAnswer(`${repository.label}, referrers of ${nobody}`, answer);
}

async function readTagSchema(repository: Repository, digest: Digest): Promise<Descriptor[]> {
  const tag = referrersTag(digest);
  const index = await getManifest(repository, tag);
  // Some keep an image from being collected by a tag like that.
  if (!index || index.digest === digest) return [];
  if (isIndexType(index.mediaType)) return [...index.children];
  throw new AppError(`${repository.label}:${tag} is no list of referrers, but ${index.mediaType}.`, {
    code: 'REGISTRY_UNEXPECTED',
  });
}
