/** Judges an image without a record once more, by the plan's own rules, from what was asked anew. Pure. */
import type { Reading } from '../../base/reading.ts';
import type { Evidence } from '../evidence.ts';
import { type CopyVerdict, judgeCopy } from '../keep-policy/judge-copy.ts';
import { knowBuilds } from '../keep-policy/known-builds.ts';
import { gatherPlaces, type Place } from '../keep-policy/places.ts';
import type { BuildFact, BuildState, ImageFact, PlanFacts, PlanRules } from '../keep-policy/policy-facts.ts';
import { readyRules } from '../keep-policy/ready-rules.ts';
import type { ImageFacts } from '../plan.ts';

/** What was asked anew of one image. */
export interface AskedAnew {
  readonly looked: ImageFacts;
  /** Of every build that one of its tags names. */
  readonly builds: readonly BuildFact[];
}

/** Judges the copy at `place` as it is now; `facts` are those of the plan, of which builds and images are left out. */
export function judgeAnew(
  rules: PlanRules,
  facts: PlanFacts,
  place: Place,
  { looked, builds }: AskedAnew,
): CopyVerdict {
  const image: ImageFact = {
    ...place.image,
    locked: looked.manifestLocked,
    tags: looked.tags.map(({ name, locked, changedAt }) => ({
      name,
      locked,
      changedAt,
      content: looked.contentTags.includes(name),
    })),
    released: undefined,
  };
  const { registry, repository } = place.home;
  const images = [{ name: repository, images: whole([image]) }];
  const fresh: PlanFacts = {
    ...facts,
    builds,
    registries: [{ name: registry, repositories: whole(images), records: whole([]) }],
  };
  const known = knowBuilds(fresh);
  const [home] = gatherPlaces(fresh, known).homes;
  const [copy] = home?.places ?? [];
  if (!copy) return { kind: 'stays', reasons: ['it could not be looked at again'] };
  return judgeCopy(readyRules(rules, fresh, known), copy, false);
}

/** What is known of a build by the evidence that was asked anew. */
export function factsByEvidence(facts: readonly BuildFact[], evidence: Evidence): BuildFact[] {
  const state = stateBy(evidence);
  if (evidence.kind !== 'deleted') return facts.map(fact => ({ ...fact, state }));
  const { number, queueTime, startTime, finishTime, definitionId } = evidence.build;
  const [queuedAt, startedAt, finishedAt] = [queueTime, startTime, finishTime].map(
    time => Date.parse(time ?? '') || undefined,
  );
  return facts.map(fact => ({ ...fact, definition: definitionId, number, queuedAt, startedAt, finishedAt, state }));
}

function stateBy(evidence: Evidence): BuildState {
  switch (evidence.kind) {
    case 'alive':
    case 'deleted':
      return { kind: evidence.kind };
    case 'absent':
      return { kind: 'absent', scope: evidence.scope, since: undefined };
    case 'unknown':
      return evidence;
  }
}

function whole<T>(items: readonly T[]): Reading<T> {
  return { kind: 'whole', items };
}
