/** Everything of a step that is read and refused before anything is changed. */
import { AppError, hasCode, withContext } from '../../core/base/errors.ts';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { requirePromoted } from '../../core/lifecycle/promotion-gate.ts';
import { checkTogether, type PromotionPlan, planPromotion } from '../../core/lifecycle/promotion-plan.ts';
import type { CopyRun } from '../../core/oci/copy-run.ts';
import type { Registry } from '../../core/oci/registry.ts';
import { agentLog } from '../agent/log.ts';
import type { PromoteImageInputs } from './inputs.ts';
import { type OpenPromotable, openArchives, openNamed, openRecorded } from './promotables.ts';
import type { Registries } from './registries.ts';

/** What planning works with. */
export interface PlanningDeps extends Registries {
  readonly inputs: PromoteImageInputs;
  readonly run: CopyRun;
}

/** One build, its images, and what is to become of them. */
export interface PlannedBuild {
  readonly build: BuildIdentity;
  readonly plan: PromotionPlan;
}

/** The plans, until they are closed: archives stay open until their images are where they go. */
export interface PlannedBuilds {
  readonly builds: readonly PlannedBuild[];
  close(): Promise<void>;
}

/** Plans every build. Throws where one of them is refused, with nothing changed for any. */
export async function planBuilds(deps: PlanningDeps, builds: readonly BuildIdentity[]): Promise<PlannedBuilds> {
  const { inputs, run, target, gate } = deps;
  const opened: OpenPromotable[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened) await each.close();
  };
  try {
    const planned: PlannedBuild[] = [];
    for (const build of builds) {
      const promotable = await openPromotable(deps, build);
      opened.push(promotable);
      const plan = await planPromotion({ run, target, log: agentLog }, promotable, inputs.rules);
      if (gate) await checkGate(gate, build, plan);
      planned.push({ build, plan });
    }
    checkTogether(planned.map(({ plan }) => plan));
    return { builds: planned, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function checkGate(gate: Registry, build: BuildIdentity, plan: PromotionPlan): Promise<void> {
  try {
    await requirePromoted(gate, { ...build, buildId: build.id }, plan, agentLog);
  } catch (cause) {
    // Of the three registries of a step this is the one that nobody thinks of.
    throw hasCode(cause, 'SIGN_IN_FAILED', 'REGISTRY_DENIED')
      ? withContext('The stage before, of the input requirePromotedTo', cause)
      : cause;
  }
}

async function openPromotable({ inputs, source }: PlanningDeps, build: BuildIdentity): Promise<OpenPromotable> {
  const { from, rules } = inputs;
  // Inputs without a source registry are those of archives.
  if (from.source === 'archive' || !source) return openArchives(build, from.lines);
  if (from.source === 'images') return openNamed(source, build, from.lines);
  try {
    return await openRecorded(source, build, rules.buildTagPrefix);
  } catch (cause) {
    if (from.source !== 'currentRun' || !hasCode(cause, 'RECORD_NOT_FOUND')) throw cause;
    throw new AppError(
      `${cause.message} The input source is currentRun, which is this run. Set it to pipelineResource where another pipeline built the images.`,
      { code: cause.code, cause },
    );
  }
}

/** The registry that images come from, for people. */
export function nameOfSource(source: Registry | undefined): string {
  return source?.host ?? 'archives on the agent';
}
