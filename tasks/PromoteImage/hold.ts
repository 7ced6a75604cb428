/** Holding the builds: a lease before anything is copied, and what the end of the job needs to let older ones go. */

import { z } from 'zod';
import { AppError } from '../../core/base/errors.ts';
import { parseJson } from '../../core/base/json.ts';
import type { LetGoRequest } from '../../core/lifecycle/let-go-leases.ts';
import { type LeaseDeps, type LeaseOwner, type RetainRequest, retainBuild } from '../../core/lifecycle/retain-build.ts';

/** The variable in which this task leaves to its own end what is to be done there. */
export const letGoVariable = 'imageLifecycleLetGo';

/** Who holds which builds, and how much the user wants that. */
export interface HoldRequest {
  readonly wish: 'true' | 'required' | 'false';
  readonly owner: LeaseOwner;
  readonly builds: readonly Omit<RetainRequest, 'owner'>[];
}

/** The builds that are held, and a sentence for people. */
export interface Hold {
  readonly held: HoldRequest['builds'];
  readonly words: string;
}

/**
 * Takes a lease on each build. Where that is not permitted, a warning names the right; with `required` it throws
 * `LEASE_DENIED`, and with a build that is gone `BUILD_GONE`. Nothing was changed then but leases.
 */
export async function holdBuilds(deps: LeaseDeps, { wish, owner, builds }: HoldRequest): Promise<Hold> {
  if (wish === 'false') return { held: [], words: 'The build is not held: retainBuild is false.' };
  const held: Omit<RetainRequest, 'owner'>[] = [];
  const problems: string[] = [];
  for (const build of builds) {
    const result = await retainBuild(deps, { owner, ...build });
    if (result.kind === 'added') held.push(build);
    else if (result.kind === 'buildGone') {
      throw new AppError(
        `Build ${build.buildId} was deleted, or there never was one, so nothing of it was promoted. Promote another build, or run its pipeline again.`,
        { code: 'BUILD_GONE' },
      );
    } else problems.push(`Build ${build.buildId} could not be held: ${result.reason.replace(/\.?$/, '.')}`);
  }
  if (problems.length === 0) {
    const ids = held.map(build => build.buildId).join(', ');
    const are = held.length === 1 ? 'is held by a retention lease' : 'are each held by a retention lease';
    return { held, words: `Build ${ids} ${are} as long as this stage may run it.` };
  }
  const what = problems.join(' ');
  if (wish === 'required') {
    throw new AppError(`${what} Nothing was promoted, because retainBuild is required.`, { code: 'LEASE_DENIED' });
  }
  deps.log.warn(`${what} Retention may delete it while this stage runs it. Set retainBuild to false to go without.`);
  return { held, words: `${problems.length === builds.length ? 'The build' : 'A build'} is not held by this stage.` };
}

const id = z.number().int().positive();
const request = z.object({
  owner: z.object({
    registry: z.string(),
    stage: z.string(),
    deployedBy: z.object({ kind: z.enum(['pipeline', 'release']), projectId: z.string(), definitionId: id }),
  }),
  projectId: z.string(),
  definitionId: id,
  currentBuilds: z.array(id).min(1),
  keepLeases: id,
});

/** What the end of the job is told, as text: one request for each pipeline whose builds were promoted. */
export function writeLetGo(owner: LeaseOwner, held: HoldRequest['builds'], keepLeases: number): string {
  const requests = new Map<string, LetGoRequest>();
  for (const { projectId, definitionId, buildId } of held) {
    const key = `${projectId}.${definitionId}`;
    const earlier = requests.get(key)?.currentBuilds ?? [];
    requests.set(key, { owner, projectId, definitionId, currentBuilds: [...earlier, buildId], keepLeases });
  }
  return JSON.stringify([...requests.values()]);
}

/** Reads {@link writeLetGo} back. Throws `DEFECT` for anything else: what is not understood lets nothing go. */
export function readLetGo(text: string): LetGoRequest[] {
  const read = z.array(request).safeParse(parseJson(text));
  if (read.success) return read.data;
  throw new AppError('What this task left for the end of the job cannot be read. No lease was let go.', {
    code: 'DEFECT',
  });
}
