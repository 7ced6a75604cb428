/**
 * What was deleted for want of a tag, written down before it is: for whoever asks later, and for the brake, which counts a
 * day. It lies beside the tombstones, where the cleaner alone may write. Its tag says all that a listing must know.
 */
import { randomBytes } from 'node:crypto';
import { putArtifact } from '../../oci/artifact.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Registry } from '../../oci/registry.ts';
import { openRepository, type Repository } from '../../oci/repository.ts';
import { listTags } from '../../oci/tags.ts';

/** The media type of a note, its artifact type too. */
export const untaggedNoteType = 'application/vnd.image-lifecycle.untagged.v1+json';

/** A note's place. */
export interface UntaggedNote {
  readonly tag: string;
  /** Milliseconds since the epoch, by the registry's clock, whole seconds. */
  readonly time: number;
  /** Images that it names. */
  readonly count: number;
}

/** The repository of the notes, with the rights of the cleaner. No project is called so: projects are GUIDs there. */
export function untaggedNotes(registry: Registry): Repository {
  return openRepository(registry, 'image-lifecycle/tombstones/untagged', ['pull', 'push', 'delete', 'metadata_read']);
}

/** The places of all notes. */
export async function listUntaggedNotes(registry: Registry): Promise<UntaggedNote[]> {
  const tags = await listTags(untaggedNotes(registry));
  return tags.flatMap(tag => {
    const [, seconds, count] = /^(\d{1,12})\.(\d{1,9})\.[0-9a-f]{16}$/.exec(tag) ?? [];
    return seconds !== undefined && count !== undefined
      ? { tag, time: Number(seconds) * 1000, count: Number(count) }
      : [];
  });
}

/** Writes down images of one repository; `time` is the registry's. Gives the note's digest beside its place. */
export async function writeUntaggedNote(
  registry: Registry,
  time: number,
  { repository, digests }: { readonly repository: string; readonly digests: readonly Digest[] },
): Promise<UntaggedNote & { readonly manifest: Digest }> {
  const seconds = Math.floor(time / 1000);
  const tag = `${seconds}.${digests.length}.${randomBytes(8).toString('hex')}`;
  const json = { schema: 1, note: tag, time: new Date(time).toISOString(), repository, digests };
  const manifest = await putArtifact(untaggedNotes(registry), tag, { type: untaggedNoteType, json });
  return { tag, time: seconds * 1000, count: digests.length, manifest };
}
