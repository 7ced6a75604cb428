/**
 * What a running container names, as far as it can be read. Its host is not looked at: a mirror, a pull-through cache and
 * a stage have names of their own for what is the same image, and to keep one by accident harms nobody. Pure.
 */
import { type Digest, isDigest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';

/** What a text means. */
export type UsedImage =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'tag'; readonly repository: string; readonly tag: string }
  /** The id of an image's configuration, which no registry can be asked for. */
  | { readonly kind: 'id' }
  /** Any image of a repository that ends in this part of a path; undefined: any at all. */
  | { readonly kind: 'unclear'; readonly lastPart: string | undefined };

const runtimes = /^(?:docker-pullable|docker|containerd|cri-o):\/\//;

/** Reads a reference of a specification or an `imageID` of a node. Never fails: what cannot be read is `unclear`. */
export function readUsedImage(text: string): UsedImage {
  const reference = text.trim().replace(runtimes, '');
  if (/^(?:sha256:)?[0-9a-f]{64}$/.test(reference)) return { kind: 'id' };
  const digest = reference.slice(reference.lastIndexOf('@') + 1);
  if (reference.includes('@') && isDigest(digest)) return { kind: 'digest', digest };
  const last = reference.slice(reference.lastIndexOf('/') + 1);
  try {
    // https://kubernetes.io/docs/concepts/containers/images/#image-names: without a tag it is "latest".
    const { repository, tag = 'latest' } = parseReference(/[:@]/.test(last) ? reference : `${reference}:latest`);
    return { kind: 'tag', repository, tag };
  } catch {
    const [name = ''] = last.split(/[:@]/, 1);
    return { kind: 'unclear', lastPart: /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/.test(name) ? name : undefined };
  }
}
