/** Each image of a plan beside what was read of it. Pure. */
import { AppError } from '../../base/errors.ts';
import type { KeepPlan } from '../keep-policy/keep-plan.ts';
import { knowBuilds } from '../keep-policy/known-builds.ts';
import { gatherPlaces, type Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';

/** The places of the images of a plan, in its order. Throws `DEFECT` where the plan was not reckoned from these facts. */
export function matchPlaces(facts: PlanFacts, plan: Pick<KeepPlan, 'images'>): Place[] {
  const { homes } = gatherPlaces(facts, knowBuilds(facts));
  const places = homes.flatMap(home => home.places);
  const isMatched =
    places.length === plan.images.length &&
    plan.images.every(({ registry, repository, digest }, at) => {
      const place = places[at];
      return place?.image.digest === digest && place.home.repository === repository && place.home.registry === registry;
    });
  if (!isMatched)
    throw new AppError('The plan was not made from the facts that are given with it.', { code: 'DEFECT' });
  return places;
}
