/** How the graph of an image gets into the target: imported by Azure where it does that, else copied. */
import type { Importer } from '../acr/import.ts';
import { settleAll } from '../base/concurrency.ts';
import { AppError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { type CopyPath, copyGraph } from '../oci/copy.ts';
import type { Bring } from '../oci/copy-referrers.ts';
import { type CopyRun } from '../oci/copy-run.ts';
import type { Digest } from '../oci/digest.ts';
import { headManifest } from '../oci/manifests.ts';
import { holdsBlobs, listGraph } from '../oci/source-graph.ts';

/** What may be done. */
export interface BringOptions {
  /** Undefined where Azure cannot be asked. */
  readonly importer: Importer | undefined;
  /** Whether a graph that Azure does not import is a failure. */
  readonly importOnly: boolean;
  readonly log: Logger;
}

/** A way, and what went by import. */
export interface Bringing {
  readonly bring: Bring;
  /** Roots that Azure imported. */
  readonly imported: ReadonlySet<Digest>;
}

/**
 * Makes a way for one run. Where Azure declines, one line says why, and the graph is copied, which is always right:
 * an import brings the same bytes under the same digests, and no tag.
 */
export function chooseBring(run: CopyRun, { importer, importOnly, log }: BringOptions): Bringing {
  const imported = new Set<Digest>();
  const told = new Set<string>();
  const known = new Map<string, Promise<void>>();
  if (!importer) return { bring: (path, root) => copyGraph(run, path, root), imported };

  async function importOrCopy(path: CopyPath, root: Digest): Promise<void> {
    const { source, target } = path;
    if (!source.repository || run.dryRun) return copyGraph(run, path, root);
    const [, ...children] = await listGraph(run, source, root);
    const graph = [root, ...children] as const;
    // An import is verified by its manifests, and a build cache keeps blobs beside them.
    if (await holdsBlobs(run, source, graph)) return copyGraph(run, path, root);
    if (await isThere(run, path, graph)) return undefined;
    const ended = await importer?.({ source: source.repository, target, graph }).catch((thrown: unknown) => {
      throw run.fail(thrown) as Error;
    });
    if (ended?.kind === 'imported') {
      imported.add(root);
      log.info(`Imported ${target.label}@${root}.`);
      return undefined;
    }
    const reason = ended?.reason ?? 'there is no importer';
    if (importOnly) {
      throw run.fail(
        new AppError(
          `${source.label}@${root} could not be imported: ${reason}. Set method to auto to have it copied through the agent.`,
          { code: 'REGISTRY_DENIED' },
        ),
      );
    }
    if (!told.has(reason)) log.info(`Copying through this agent, without an import by Azure: ${reason}.`);
    told.add(reason);
    return copyGraph(run, path, root);
  }

  return {
    imported,
    bring: (path, root) => {
      const key = `${path.target.label}@${root}`;
      const running = known.get(key) ?? importOrCopy(path, root);
      known.set(key, running);
      return running;
    },
  };
}

async function isThere(run: CopyRun, { target }: CopyPath, graph: readonly Digest[]): Promise<boolean> {
  const heads = await settleAll(graph.map(digest => run.request(() => headManifest(target, digest))));
  return heads.every(head => head !== undefined);
}
