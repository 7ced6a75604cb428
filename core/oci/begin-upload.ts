/** Begins an upload, or mounts a blob that another repository of the registry has. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
import { AppError, hasCode } from '../base/errors.ts';
import type { Digest } from './digest.ts';
import type { HttpAnswer } from './http.ts';
import type { Registry } from './registry.ts';
import { type Repository, unexpectedAnswer } from './repository.ts';

/** An upload that has begun. */
export interface Upload {
  /** Where its next part goes, with a query that must survive. */
  readonly url: URL;
  /** The fewest bytes that a chunk must have, the last aside. */
  readonly minChunkBytes: number;
}

/** Begins an upload of `digest`. */
export async function beginUpload(target: Repository, digest: Digest, signal?: AbortSignal): Promise<Upload> {
  const answer = await post(target, '', target.scope, signal);
  const what = `${target.label}, blob ${digest}`;
  if (answer.status !== 202) throw unexpectedAnswer(what, answer);
  return readUpload(answer, what);
}

/** Pairs of repositories that may not be mounted from one into the other, so that they are asked for once. */
const refused = new WeakMap<Registry, Set<string>>();

/**
 * Mounts a blob of `source`, which is in the same registry. Gives the upload that the registry began instead, where it
 * did, and undefined where it would not: for that it is enough that a right is missing.
 */
export async function mountBlob(
  source: Repository,
  target: Repository,
  digest: Digest,
  signal?: AbortSignal,
): Promise<'mounted' | Upload | undefined> {
  const refusals = refused.get(target.registry) ?? new Set();
  refused.set(target.registry, refusals);
  const pair = `${source.name} ${target.name}`;
  if (refusals.has(pair)) return undefined;
  const query = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(source.name)}`;
  try {
    const answer = await post(target, query, `${target.scope} repository:${source.name}:pull`, signal);
    if (answer.status === 201) return 'mounted';
    if (answer.status === 202) return readUpload(answer, `${target.label}, blob ${digest}`);
  } catch (thrown) {
    if (!hasCode(thrown, 'REGISTRY_DENIED')) throw thrown;
  }
  target.registry.http.log.debug(`${target.label}: nothing is mounted from ${source.label}.`);
  refusals.add(pair);
  return undefined;
}

function post(target: Repository, query: string, scope: string, signal?: AbortSignal): Promise<HttpAnswer> {
  const path = `/v2/${target.name}/blobs/uploads/${query}`;
  return target.registry.exchange({ method: 'POST', path, scope, signal });
}

/** Reads where an upload goes on: `Location` may be relative, absolute, or on another host. */
export function readUpload(answer: HttpAnswer, what: string): Upload {
  const location = answer.headers['location'];
  if (location === undefined || !URL.canParse(location, answer.url.href)) {
    throw new AppError(`${what}: the registry began an upload, but did not say where.`, {
      code: 'REGISTRY_UNEXPECTED',
    });
  }
  // https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
  const minimum = Number(answer.headers['oci-chunk-min-length'] ?? 0);
  return { url: new URL(location, answer.url), minChunkBytes: minimum > 0 ? minimum : 0 };
}
