/** The product's side of a plan: the facts made, then planned, in this process. */
import { planImages } from '../../core/lifecycle/keep-policy/keep-plan.ts';
import { readPeakMB } from './peak-memory.ts';
import { makeFacts, makeRules, type PlanWorld } from './plan-world.ts';

/** What it took. */
export interface PlanResult {
  /** Of the plan alone, its hash included. */
  readonly seconds: number;
  /** Peak of the whole process, the facts included. */
  readonly rssMB: number;
  readonly keep: number;
  readonly delete: number;
  readonly hash: string;
}

/** Plans. Throws where the plan shows that the world was not what it should be. */
export function planHere(world: PlanWorld): PlanResult {
  const facts = makeFacts(world);
  const rules = makeRules();
  const started = performance.now();
  const { images, unread, unparsed, hash } = planImages(rules, facts);
  const seconds = (performance.now() - started) / 1000;
  const deleted = images.filter(each => each.decision === 'delete').length;
  const [problem] = [...unread, ...unparsed];
  if (problem !== undefined) throw new Error(`The world could not be read: ${problem}.`);
  if (images.length !== world.repositories * world.images) throw new Error(`There were ${images.length} images.`);
  return { seconds, rssMB: readPeakMB(), keep: images.length - deleted, delete: deleted, hash };
}
