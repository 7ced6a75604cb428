/** The product's side of a promotion: images copied with their tags, by a client that knows nothing yet. */
import type { Logger } from '../../core/base/log.ts';
import { copyImages, lookAtImages } from '../../core/oci/copy-images.ts';
import { createCopyRun } from '../../core/oci/copy-run.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { createHttp } from '../../core/oci/http.ts';
import { openRegistry } from '../../core/oci/registry.ts';
import { openRepository } from '../../core/oci/repository.ts';
import { repositorySource } from '../../core/oci/source.ts';
import { readPeakMB } from './peak-memory.ts';

/** One image, and the tag that it has in both registries. */
export interface PromoteImage {
  readonly repository: string;
  readonly digest: Digest;
  readonly tag: string;
}

/** What to promote, as text that can go to another process. */
export interface PromoteOrder {
  /** Addresses, with their scheme. */
  readonly source: string;
  readonly target: string;
  /** PEM to trust. */
  readonly ca: string;
  readonly images: readonly PromoteImage[];
}

/** What it took. */
export interface PromoteResult {
  readonly requests: number;
  readonly tagged: number;
  /** Peak of the whole process. */
  readonly rssMB: number;
}

/** Promotes, in this process. */
export async function promoteHere(order: PromoteOrder): Promise<PromoteResult> {
  let requests = 0;
  // The client says one line of each request.
  const log: Logger = { debug: line => void (requests += line.startsWith('#') ? 1 : 0), info() {}, warn() {} };
  const http = createHttp({ ca: order.ca, log });
  const open = (address: string) => openRegistry({ address, credentials: { kind: 'anonymous' }, http });
  const [source, target] = [open(order.source), open(order.target)];
  const run = createCopyRun();
  const images = order.images.map(({ repository, digest, tag }) => ({
    source: repositorySource(openRepository(source, repository, ['pull'])),
    target: openRepository(target, repository, ['pull', 'push']),
    root: digest,
    tags: [tag],
  }));
  const copied = await copyImages(run, await lookAtImages(run, images), { referrers: false });
  await http.close();
  return {
    requests,
    tagged: copied.reduce((sum, { tagged }) => sum + tagged.length, 0),
    rssMB: readPeakMB(),
  };
}
