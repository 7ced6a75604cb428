/** The images of a plan that are to go, each beside what was read of it. Pure. */
import type { Cause } from '../keep-policy/judge-copy.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import type { Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { matchPlaces } from './planned-places.ts';

/** An image that is to go. */
export interface Leaving {
  readonly place: Place;
  readonly cause: Cause;
  /** At least one. */
  readonly reasons: readonly string[];
}

/** What was read of every image, and which of them are to go. */
export interface Departure {
  /** In the order of the plan. */
  readonly places: readonly Place[];
  readonly leaving: readonly Leaving[];
}

/** Lists what is to go. Throws `DEFECT` where the plan was not reckoned from these facts. */
export function listLeaving(facts: PlanFacts, plan: KeepPlan): Departure {
  const places = matchPlaces(facts, plan);
  const leaving = plan.images.flatMap(({ decision, cause, reasons }, at) => {
    const place = places[at];
    return decision === 'delete' && cause !== undefined && place ? [{ place, cause, reasons }] : [];
  });
  return { places, leaving };
}
