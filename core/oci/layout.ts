/** OCI layouts: images as files by their digests. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
import { z } from 'zod';
import { AppError, inputError } from '../base/errors.ts';
import { groupBy } from '../base/group-by.ts';
import { type Digest, verifyDigest } from './digest.ts';
import { type Files, readJsonFile, readSmallFile } from './files.ts';
import { type ImageStore, type StoredImage, withFamiliarName } from './image-store.ts';
import { blobName, checkWhole, isKnownType } from './layout-blobs.ts';
import { type Descriptor, type Manifest, maxManifestBytes, parseManifest } from './manifest.ts';
import { ociIndex } from './media-types.ts';
import { isTag } from './reference.ts';
import { referrersTag, subjectOfTag } from './referrers.ts';
import type { DigestTag, ImageSource } from './source.ts';

/** The manifests that `index.json` leads to and that are there: how each is listed, and what it refers to. */
type Known = ReadonlyMap<Digest, { readonly descriptor: Descriptor; readonly subject: Digest | undefined }>;

/** A larger layout is none of images. */
const maxManifests = 10_000;
const version = z.object({ imageLayoutVersion: z.literal('1.0.0') });

/** Whether there is a layout among the files. */
export async function isLayout(files: Files): Promise<boolean> {
  return (await files.open('oci-layout')) !== undefined;
}

/** Looks a layout through. Throws `INPUT_INVALID`, `TOO_LARGE`, `REGISTRY_UNEXPECTED` or `DIGEST_MISMATCH` where it is none, or damaged. */
export async function openLayout(files: Files): Promise<ImageStore> {
  const { label } = files;
  if (!version.safeParse(await readJsonFile(files, 'oci-layout', 1024)).success) {
    throw inputError(`${label} is not an OCI layout of version 1.0.0, by its file oci-layout.`);
  }
  const bytes = await readSmallFile(files, 'index.json', maxManifestBytes);
  if (!bytes) throw inputError(`${label} is an OCI layout without its index.json.`);
  const entries = parseManifest(bytes, ociIndex, `${label}, index.json`).children;
  const known = await readKnown(files, entries);
  const source = createSource(files, known, entries);
  return {
    label,
    images: listImages(entries, known),
    async open(digest) {
      if (!known.has(digest)) return undefined;
      await checkWhole(files, source, digest);
      return { source, root: digest };
    },
  };
}

/** Follows indexes into indexes. What is listed but not there is left out: an image that needs it is not whole, and says so. */
async function readKnown(files: Files, entries: readonly Descriptor[]): Promise<Known> {
  const known = new Map<Digest, { descriptor: Descriptor; subject: Digest | undefined }>();
  const unread = [...entries];
  for (let next = unread.shift(); next; next = unread.shift()) {
    if (known.has(next.digest) || !isKnownType(next)) continue;
    const manifest = await readManifest(files, next);
    if (!manifest) continue;
    const { artifactType = manifest.config?.mediaType } = manifest;
    known.set(next.digest, { descriptor: { ...next, artifactType }, subject: manifest.subject?.digest });
    unread.push(...manifest.children);
    if (known.size + unread.length > maxManifests) {
      throw new AppError(`${files.label} holds more than ${maxManifests} manifests, which no image does.`, {
        code: 'TOO_LARGE',
      });
    }
  }
  return known;
}

/** A manifest, verified by its digest and its size; undefined where it is not there. */
async function readManifest(files: Files, { digest, mediaType, size }: Descriptor): Promise<Manifest | undefined> {
  const what = `${files.label}, manifest ${digest}`;
  const bytes = await readSmallFile(files, blobName(digest), maxManifestBytes);
  if (!bytes) return undefined;
  verifyDigest(bytes, digest, what);
  if (bytes.byteLength === size) return parseManifest(bytes, mediaType, what);
  throw new AppError(`${what} has ${bytes.byteLength} bytes, but is listed with ${size}.`, { code: 'DIGEST_MISMATCH' });
}

function createSource(files: Files, known: Known, entries: readonly Descriptor[]): ImageSource {
  const digestTags: DigestTag[] = entries.flatMap(entry => {
    const tag = tagOf(entry);
    return tag !== undefined && subjectOfTag(tag, entry.digest) && known.has(entry.digest)
      ? [{ tag, digest: entry.digest }]
      : [];
  });
  return {
    label: files.label,
    async getManifest(digest) {
      const found = known.get(digest);
      return found && readManifest(files, found.descriptor);
    },
    async openBlob(blob, offset) {
      const file = await files.open(blobName(blob.digest));
      if (file) return file.read(offset);
      throw new AppError(`${files.label}: the blob ${blob.digest} is not in it.`, { code: 'IMAGE_NOT_FOUND' });
    },
    listReferrers: async digest =>
      [...known.values()].flatMap(({ subject, descriptor }) => (subject === digest ? [descriptor] : [])),
    listDigestTags: async digest => digestTags.filter(({ tag }) => tag.startsWith(referrersTag(digest))),
  };
}

/** What may be meant by a name: not the signatures and other artifacts that are there beside their image. */
function listImages(entries: readonly Descriptor[], known: Known): StoredImage[] {
  const images = entries.filter(entry => {
    const subject = known.get(entry.digest)?.subject ?? subjectOfTag(tagOf(entry) ?? '', entry.digest);
    return isKnownType(entry) && (subject === undefined || !known.has(subject));
  });
  return [...groupBy(images, ({ digest }) => digest)].map(([digest, group]) => ({
    digest,
    names: [...new Set(group.flatMap(namesOf))],
  }));
}

/** The specification's own annotation, and containerd's, which holds the whole reference. */
function namesOf({ annotations }: Descriptor): string[] {
  const named = annotations?.['org.opencontainers.image.ref.name'];
  const whole = annotations?.['io.containerd.image.name'];
  return [
    ...(whole === undefined ? [] : withFamiliarName(whole)),
    ...(named === undefined ? [] : withFamiliarName(named)),
  ];
}

/** The tag in an entry's name, which is a tag alone or a whole reference. */
function tagOf(entry: Descriptor): string | undefined {
  const name = entry.annotations?.['org.opencontainers.image.ref.name'] ?? '';
  const tag = name.slice(name.lastIndexOf(':') + 1);
  return isTag(tag) ? tag : undefined;
}
