/** Everything that keeps an image, in each registry, or the evidence that let it go: lines for people. Pure. */
import type { Digest } from '../../oci/digest.ts';
import type { KeepPlan, PlannedImage } from '../keep-policy/keep-plan.ts';
import { type KnownBuild, knowBuilds, nameBuild, reasonOf } from '../keep-policy/known-builds.ts';
import type { Place } from '../keep-policy/places.ts';
import type { PlanFacts } from '../keep-policy/policy-facts.ts';
import { nameNearest } from './nearest-names.ts';
import { findNextSteps, type NextStep } from './next-step.ts';
import { matchPlaces } from './planned-places.ts';
import { type ImageQuestion, type NamedRegistry, readQuestion } from './question.ts';

/** What is known beside the facts. */
export interface WhyOptions {
  /** The registries of the facts, by their names, with their hosts. */
  readonly registries: readonly NamedRegistry[];
  /** How long a released image waits, in milliseconds. */
  readonly graceMs: number;
}

/** So many images are told of; a digest is in few places, a build may have made many. */
const mostImages = 50;

/**
 * Answers for one subject: a reference (`web:4711`, `host/web@sha256:…`), a digest, or the id of a build. Never fails but with
 * `DEFECT` where the plan was not made from these facts: what is not there is told of, with what has the nearest name.
 */
export function tellWhy(subject: string, facts: PlanFacts, plan: KeepPlan, options: WhyOptions): string[] {
  const places = matchPlaces(facts, plan);
  const { now } = facts;
  const scene: Scene = {
    places,
    planned: new Map(places.map((place, at) => [place, plan.images[at] as PlannedImage])),
    steps: findNextSteps(plan.images, places, { now, graceMs: options.graceMs }),
    builds: listBuilds(facts),
    now,
    graceMs: options.graceMs,
  };
  const question = readQuestion(subject, options.registries);
  const answer = question.kind === 'build' ? tellBuild(question.id, scene) : tellImage(question, scene);
  return answer.found || plan.unread.length === 0
    ? answer.lines
    : [...answer.lines, 'But not everything could be read:', ...plan.unread.map(each => `- ${each}`)];
}

interface Scene {
  readonly places: readonly Place[];
  readonly planned: ReadonlyMap<Place, PlannedImage>;
  readonly steps: ReadonlyMap<Place, NextStep>;
  readonly builds: readonly KnownBuild[];
  readonly now: number;
  readonly graceMs: number;
}

interface Answer {
  readonly found: boolean;
  readonly lines: string[];
}

function listBuilds(facts: PlanFacts): KnownBuild[] {
  return [...knowBuilds(facts).values()].flatMap(projects => [...projects.values()].flatMap(ids => [...ids.values()]));
}

function tellBuild(id: number, scene: Scene): Answer {
  const builds = scene.builds.filter(({ name }) => name.id === id);
  const places = scene.places.filter(({ image, records }) => {
    const names = [...records.map(({ record }) => record.build), ...(image.released ?? [])];
    return names.some(build => build.id === id);
  });
  if (builds.length === 0 && places.length === 0) {
    const known = scene.builds.map(({ name }) => String(name.id));
    return { found: false, lines: [`No record and no tag names a build ${id}.${nameNearest(String(id), known)}`] };
  }
  const said = builds.map(build => `${build.name.organization}: ${reasonOf(build, scene.now)}`);
  const none = places.length === 0 ? ['No image that is there is named by its records.'] : [];
  return { found: true, lines: [...said, ...none, ...tellPlaces(places, scene)] };
}

/** Every copy of what the question names, in whatever registry. */
function tellImage(question: ImageQuestion, scene: Scene): Answer {
  const digests = new Set<Digest>(scene.places.flatMap(place => (question.matches(place) ? [place.image.digest] : [])));
  if (digests.size > 0) {
    const copies = scene.places.filter(place => digests.has(place.image.digest));
    return { found: true, lines: tellPlaces(copies, scene) };
  }
  const names = question.listNames(scene.places);
  return { found: false, lines: [`There is no image ${question.text}.${nameNearest(question.nameLike, names)}`] };
}

function tellPlaces(places: readonly Place[], scene: Scene): string[] {
  const more = places.length - mostImages;
  return [
    ...places.slice(0, mostImages).flatMap(place => tellPlace(place, scene)),
    ...(more > 0 ? [`And ${more} more images.`] : []),
  ];
}

function tellPlace(place: Place, scene: Scene): string[] {
  const { home, image } = place;
  const planned = scene.planned.get(place);
  const tags = image.tags.map(tag => tag.name).sort();
  const named = tags.length > 0 ? `, tagged ${tags.join(', ')},` : ', which has no tag,';
  const becomes = planned?.decision === 'delete' ? tellStep(scene.steps.get(place)) : 'stays';
  return [
    `${home.registry}/${home.repository}@${image.digest}${named} ${becomes}:`,
    ...(planned?.reasons ?? []).map(reason => `- ${reason}`),
    ...tellTombstone(place, planned?.decision === 'delete' ? scene.graceMs : undefined),
    ...tellBuilds(place),
  ];
}

function tellStep(step: NextStep = { kind: 'untag' }): string {
  if (step.kind !== 'wait') {
    return step.kind === 'delete'
      ? 'is deleted by the next run'
      : 'goes: the next run takes its tags off, and a later one deletes it';
  }
  if (step.dueAt === undefined) return 'waits to be deleted';
  return `is deleted by the first run after ${new Date(step.dueAt).toISOString()}`;
}

/** `graceMs` is left out of what stays: it is not due. */
function tellTombstone({ image }: Place, graceMs: number | undefined): string[] {
  const { released = [], releasedAt } = image;
  if (released.length === 0) return [];
  const builds = [...new Set(released.map(nameBuild))].sort().join(', ');
  if (releasedAt === undefined) return [`- its tags were taken off for build ${builds}; it is not known when`];
  const due = graceMs === undefined ? '' : `, so it is due at ${new Date(releasedAt + graceMs).toISOString()}`;
  return [`- its tags were taken off for build ${builds} at ${new Date(releasedAt).toISOString()}${due}`];
}

/** What a build made it from: a person who asks wants to go there. */
function tellBuilds({ records }: Place): string[] {
  const lines = records.flatMap(({ record, build }) => {
    const [fact] = build?.facts ?? [];
    if (!fact || (fact.ref === '' && fact.commit === '')) return [];
    const from = [fact.ref, fact.commit].filter(part => part !== '').join(' at ');
    return [`- build ${nameBuild(record.build)}${record.promoted ? ', which was promoted,' : ''} made it from ${from}`];
  });
  return [...new Set(lines)].sort();
}
