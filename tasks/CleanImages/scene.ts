/** What every mode works with, once everything was looked at. */
import type { Clock } from '../../core/base/clock.ts';
import { type Drift, findDrift } from '../../core/lifecycle/cleaning/drift.ts';
import type { Look } from '../../core/lifecycle/cleaning/look.ts';
import { agentLog } from '../agent/log.ts';
import type { OpenedEstate } from './estate.ts';
import { listPartlyUnread } from './partly-unread.ts';
import type { Job } from './prepare.ts';
import type { Unread } from './verdict.ts';
import type { WhyAnswer } from './why-text.ts';

/** One step that has looked. */
export interface Scene extends OpenedEstate {
  readonly job: Job;
  readonly look: Look;
  readonly unread: Unread;
  /** To the questions of `why`. */
  readonly answers: readonly WhyAnswer[];
  /** Whether the minutes of the step are over. */
  readonly isOver: () => boolean;
}

/** In the words of the plan: a reference of what runs that names not even a repository, so that every image has this reason. */
const mayMeanAny = ' cannot be read and may mean any image: ';
/** Each warning stands on the run's page, which is for people. */
const mostWarnings = 20;

/** What was not read, each with a warning of its own. */
export function tellUnread({ facts, plan, unseen }: Look): Unread {
  const anything = (plan.images[0]?.reasons ?? []).filter(each => each.includes(mayMeanAny));
  const unparsed = plan.unparsed.map(each => `what "${each}" means, which something runs, cannot be read`);
  const unread = {
    everything: [...plan.unread, ...anything],
    some: [...listPartlyUnread(facts), ...(anything.length > 0 ? [] : unparsed)],
  };
  const sentences = [
    ...unread.everything.map(each => `Everything stays: ${each}.`),
    ...unparsed.map(each => `What it may mean stays: ${each}.`),
    ...unseen,
  ];
  for (const each of sentences.slice(0, mostWarnings)) agentLog.warn(each);
  for (const each of sentences.slice(mostWarnings)) agentLog.info(each);
  return unread;
}

/** Where things do not fit together. */
export function findDriftOf({ estate, look }: Scene): Drift {
  const registries = estate.registries.map(({ name, repositories, registry }) => ({
    name,
    repositories,
    host: registry.host,
  }));
  return findDrift(look.facts, look.plan, { registries });
}

/** What was looked at, in a sentence for people. */
export function describeScope({ job, estate, organizations }: Scene): string {
  const registries = estate.registries.map(({ name, registry }) =>
    name === registry.host ? name : `${name} (${registry.host})`,
  );
  const projects = organizations.flatMap(each => each.projects.map(({ name }) => name));
  const clusters = estate.clusters.map(({ name }) => name);
  const by = job.inputs.configuration ? '' : ', by the policy that holds where nothing is said';
  return [
    `Of ${registries.join(', ')}; builds of ${projects.join(', ')}`,
    ...(clusters.length > 0 ? [`; what runs in ${clusters.join(', ')}`] : []),
    `${by}.`,
  ].join('');
}

/** Whether `minutes` have passed since now; never, where there is no limit. */
export function startTimer(minutes: number, clock: Clock): () => boolean {
  const end = minutes === 0 ? Number.POSITIVE_INFINITY : clock.now() + minutes * 60_000;
  return () => clock.now() >= end;
}
