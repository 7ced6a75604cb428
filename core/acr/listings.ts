/**
 * Azure's own lists, read strictly: a page of another shape is an error, never an empty page.
 * https://github.com/Azure/azure-rest-api-specs `specification/containerregistry/data-plane` (2021-07-01)
 * The SDK is not used here: it drops media types and reads a page without its list as an empty one (docs/adr/0002).
 */
import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { readPages } from '../oci/paging.ts';
import type { Repository } from '../oci/repository.ts';

const digestText = z.string().refine(isDigest) as unknown as z.ZodType<Digest>;
const attributes = z.object({ deleteEnabled: z.boolean().optional(), writeEnabled: z.boolean().optional() }).optional();

const tagPage = z.object({
  imageName: z.string(),
  tags: z
    .array(
      z.object({
        name: z.string(),
        digest: digestText,
        lastUpdateTime: z.string().optional(),
        changeableAttributes: attributes,
      }),
    )
    .nullish(),
});

const manifestPage = z.object({
  imageName: z.string(),
  manifests: z
    .array(
      z.object({
        digest: digestText,
        mediaType: z.string().optional(),
        imageSize: z.number().optional(),
        createdTime: z.string().optional(),
        lastUpdateTime: z.string().optional(),
        tags: z.array(z.string()).nullish(),
        changeableAttributes: attributes,
      }),
    )
    .nullish(),
});

/** A tag as Azure lists it. */
export interface AcrTag {
  readonly name: string;
  readonly digest: Digest;
  /** `deleteEnabled` or `writeEnabled` is false: Azure refuses to delete it. */
  readonly locked: boolean;
  /** When it was put on this digest, in milliseconds; undefined where the registry does not say. */
  readonly changedAt: number | undefined;
}

/** A manifest as Azure lists it. */
export interface AcrManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly locked: boolean;
  /** May be incomplete for a digest of many tags; `listTagsOf` is the authority. */
  readonly tags: readonly string[];
  /** Bytes. */
  readonly size: number;
  /** When it was last pushed or changed, in milliseconds; undefined where the registry does not say. */
  readonly changedAt: number | undefined;
}

/** The tags on one digest, at this moment. Empty when it has none, or is not there. Throws on any answer that is not such a list. */
export async function listTagsOf(repository: Repository, digest: Digest): Promise<AcrTag[]> {
  const found = await readTags(repository, `&digest=${encodeURIComponent(digest)}`);
  // A server that ignored the filter would list the tags of every digest.
  const other = found.find(tag => tag.digest !== digest);
  if (other) throw unexpected(repository, `its tags of ${digest} include "${other.name}", which is on ${other.digest}`);
  return found;
}

/**
 * Every tag of the repository, page by page; one that moved meanwhile may be there twice. Empty where the repository is
 * unknown. It may hold fewer than there are (hidden ones, a stale list): compare with the repository's own counts.
 */
export function listAllTags(repository: Repository): Promise<AcrTag[]> {
  return readTags(repository, '');
}

async function readTags(repository: Repository, filter: string): Promise<AcrTag[]> {
  const found: AcrTag[] = [];
  for await (const { body } of readPages(repository, `/acr/v1/${repository.name}/_tags?n=1000${filter}`)) {
    for (const tag of parsePage(tagPage, body, repository).tags ?? []) {
      found.push({
        name: tag.name,
        digest: tag.digest,
        locked: isLocked(tag.changeableAttributes),
        changedAt: latest(tag.lastUpdateTime),
      });
    }
  }
  return found;
}

/**
 * Every manifest of the repository, page by page, as a map by digest. Empty where the repository is unknown.
 * It may hold fewer than there are (hidden ones, a stale list): compare with the repository's own counts.
 */
export async function listManifests(repository: Repository): Promise<Map<Digest, AcrManifest>> {
  const found = new Map<Digest, AcrManifest>();
  for await (const { body } of readPages(repository, `/acr/v1/${repository.name}/_manifests?n=1000`)) {
    for (const manifest of readManifestPage(body, repository)) found.set(manifest.digest, manifest);
  }
  return found;
}

/** The newest manifests, at most `count` (1000 at most), the latest change first. */
export async function listNewestManifests(repository: Repository, count: number): Promise<AcrManifest[]> {
  const path = `/acr/v1/${repository.name}/_manifests?n=${count}&orderby=timedesc`;
  for await (const { body } of readPages(repository, path)) return readManifestPage(body, repository);
  return [];
}

/** Whether changeable attributes forbid deletion. `writeEnabled: false` blocks deletion too. */
export function isLocked(
  flags: { deleteEnabled?: boolean | undefined; writeEnabled?: boolean | undefined } | undefined,
): boolean {
  return flags?.deleteEnabled === false || flags?.writeEnabled === false;
}

function readManifestPage(body: unknown, repository: Repository): AcrManifest[] {
  return (parsePage(manifestPage, body, repository).manifests ?? []).map(each => ({
    digest: each.digest,
    mediaType: each.mediaType ?? '',
    locked: isLocked(each.changeableAttributes),
    tags: each.tags ?? [],
    size: each.imageSize ?? 0,
    changedAt: latest(each.createdTime, each.lastUpdateTime),
  }));
}

function parsePage<T extends { imageName: string }>(shape: z.ZodType<T>, body: unknown, repository: Repository): T {
  const read = shape.safeParse(body);
  if (!read.success) throw unexpected(repository, `its list has an unknown shape: ${z.prettifyError(read.error)}`);
  if (read.data.imageName !== repository.name)
    throw unexpected(repository, `its list is that of "${read.data.imageName}"`);
  return read.data;
}

function latest(...times: readonly (string | undefined)[]): number | undefined {
  const known = times.map(time => Date.parse(time ?? '')).filter(Number.isFinite);
  return known.length > 0 ? Math.max(...known) : undefined;
}

function unexpected(repository: Repository, why: string): AppError {
  return new AppError(`${repository.label}: ${why}.`, { code: 'REGISTRY_UNEXPECTED' });
}
