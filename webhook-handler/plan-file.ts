/** A plan as a file: written by a dry run, read by a person, and given back as approved. */
import { z } from 'zod';
import { inputError } from '../core/base/errors.ts';
import type { Plan } from '../core/lifecycle/report.ts';

/** The plan of one registry and one organization. */
export interface FiledPlan {
  readonly registry: string;
  readonly organization: string;
  readonly plan: Plan;
}

const planFile = z.strictObject({
  schema: z.literal(1),
  plans: z.array(
    z.strictObject({
      registry: z.string(),
      organization: z.string(),
      release: z.array(
        z.strictObject({ projectId: z.guid().toLowerCase(), buildId: z.int().positive(), images: z.int().positive() }),
      ),
      collect: z.array(z.string().regex(/^[^@\s]+@sha256:[0-9a-f]{64}$/)),
    }),
  ),
});

/** Gives the file's text. */
export function formatPlanFile(plans: readonly FiledPlan[]): string {
  const flat = plans.map(({ registry, organization, plan }) => ({
    registry,
    organization,
    release: plan.release.map(({ projectId, buildId, images }) => ({ projectId, buildId, images })),
    collect: plan.collect,
  }));
  return `${JSON.stringify({ schema: 1, plans: flat }, undefined, 2)}\n`;
}

/** Reads the file's text; `name` is what messages call it. Throws INPUT_INVALID for anything that is not a plan. */
export function parsePlanFile(text: string, name: string): FiledPlan[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw inputError(`${name} is not a plan: it is not JSON.`, cause);
  }
  const read = planFile.safeParse(json);
  if (!read.success) throw inputError(`${name} is not a plan: ${z.prettifyError(read.error)}`);
  return read.data.plans.map(({ registry, organization, release, collect }) => ({
    registry,
    organization,
    plan: { release, collect },
  }));
}
