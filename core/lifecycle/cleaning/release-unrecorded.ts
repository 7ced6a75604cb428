/**
 * Releases images that no record names and whose tags tell their builds, which are deleted. The plan says which; each is
 * judged once more from what is asked anew, because no record says that the image is the build's. From then on they are
 * collected as every released image is.
 */
import { mapConcurrently } from '../../base/concurrency.ts';
import { listRecordKeys } from '../build-record.ts';
import { confirmDeath } from '../confirm.ts';
import { eachBuild } from '../each-build.ts';
import { readEvidence } from '../evidence.ts';
import { inspectImage } from '../inspect.ts';
import type { KnownBuild } from '../keep-policy/known-builds.ts';
import type { Place } from '../keep-policy/places.ts';
import type { BuildFact, PlanFacts, PlanRules } from '../keep-policy/policy-facts.ts';
import { buildTagOf } from '../owned-tags.ts';
import { perform } from '../release.ts';
import { type DeadBuild, placeOf, type Run, vetoOf } from '../surroundings.ts';
import type { ClaimedImage } from '../tombstone.ts';
import { factsByEvidence, judgeAnew } from './judge-anew.ts';
import type { FindByTag, Named, UnrecordedBuild } from './unrecorded-builds.ts';

/** What to release in one registry for one organization. */
export interface UnrecordedRelease {
  readonly rules: PlanRules;
  /** What the plan was reckoned from. */
  readonly facts: PlanFacts;
  readonly organization: Named;
  /** Builds with the images that the plan lets go for them, and how each build is found. */
  readonly builds: readonly UnrecordedBuild[];
  readonly find: FindByTag;
}

const atOnce = 8;

/** What the builds of one release share. */
interface Asking extends UnrecordedRelease {
  readonly run: Run;
  /** What was asked anew of builds, so that one of many images is asked for once. */
  readonly asked: Map<KnownBuild, Promise<readonly BuildFact[]>>;
}

/** Releases what may go. What fails for one build stands in the report. Throws `BRAKE` before a change that passes the limit. */
export async function releaseUnrecorded(run: Run, release: UnrecordedRelease): Promise<void> {
  const asking: Asking = { ...release, run, asked: new Map() };
  await eachBuild(run, release.builds, async build => {
    await releaseOne(asking, build);
    return [];
  });
}

async function releaseOne(asking: Asking, build: UnrecordedBuild): Promise<void> {
  const { run } = asking;
  const { projectId, buildId } = build;
  const keepAll = (reason: string): void => {
    for (const place of build.places) keep(run, build, place, reason);
  };
  // Right before the change the build itself is asked, whatever was asked for another image's sake.
  const evidence = await readEvidence(
    run.azureDevOps,
    { projectId, buildId, definitionId: build.definition },
    others(run),
  );
  asking.asked.set(build.build, Promise.resolve(factsByEvidence(build.build.facts, evidence)));
  if (evidence.kind !== 'deleted') {
    return keepAll(`its tag is that of build ${buildId}, which is not known to be deleted`);
  }
  const records = await listRecordKeys(run.registry, projectId, buildId);
  // With one release of a build by its records and one without, neither could tell what the other has done.
  if (records.length > 0) return keepAll(`build ${buildId} has records that do not name it: what they name goes first`);
  const dead = await confirmDeath(run, { projectId, buildId, records: [], tombstones: [] }, build.definition, evidence);
  if (!dead) return;
  const looked = await mapConcurrently(build.places, atOnce, place => claim(asking, build, dead, place));
  const images = looked.flatMap(image => image ?? []);
  if (images.length === 0 || run.timeBox.isOver()) return;
  await perform(run, dead, [{ images, records: [], copies: false, count: images.length }]);
}

/** Looks at an image again; undefined where it stays, which is told. */
async function claim(
  asking: Asking,
  build: UnrecordedBuild,
  dead: DeadBuild,
  place: Place,
): Promise<ClaimedImage | undefined> {
  const { run, rules, facts, find } = asking;
  const { home, image } = place;
  const { digest, mediaType } = image;
  const veto = vetoOf(run, { repository: home.repository, digest }, 'untag');
  const named = {
    repository: home.repository,
    digest,
    mediaType,
    subject: image.subject === 'none' ? undefined : image.subject,
    tags: image.tags.map(tag => tag.name),
  };
  const { facts: looked, links } = await inspectImage(run.registry, named, buildTagOf(dead.build, run.rules));
  if (!looked.exists) return undefined;
  const builds = await askBuilds(
    asking,
    looked.tags.map(tag => tag.name),
  );
  const verdict = judgeAnew(rules, facts, place, { looked, builds });
  const isGoing = verdict.kind === 'goes' && verdict.cause === 'withoutRecord';
  if (veto !== undefined || !isGoing) {
    keep(
      run,
      build,
      place,
      veto ?? (isGoing ? '' : verdict.reasons.join('; ') || 'it changed since the plan was made'),
    );
    return undefined;
  }
  const untag = looked.tags.map(tag => tag.name).filter(tag => find(tag).includes(build.build));
  const content = [...looked.contentTags];
  const { children, subjects } = links;
  const claimed = { repository: home.repository, digest, recorded: untag, untag, children: [...children], subjects };
  return { ...claimed, ...(content.length > 0 && { content }), claimed: true };
}

/** Every build that one of the tags may name; of this organization as Azure DevOps has it now. */
async function askBuilds(asking: Asking, tags: readonly string[]): Promise<BuildFact[]> {
  const builds = new Set(tags.flatMap(tag => asking.find(tag)));
  const said = await Promise.all([...builds].map(build => askBuild(asking, build)));
  return said.flat();
}

function askBuild({ run, organization, asked }: Asking, build: KnownBuild): Promise<readonly BuildFact[]> {
  const { name, facts } = build;
  const project = organization.projects.find(each => each.name === name.project);
  const [fact] = facts;
  if (name.organization !== organization.name || !project || !fact) return Promise.resolve(facts);
  const known = asked.get(build);
  if (known) return known;
  const question = { projectId: project.id, buildId: name.id, definitionId: fact.definition };
  const answer = readEvidence(run.azureDevOps, question, others(run)).then(evidence =>
    factsByEvidence(facts, evidence),
  );
  asked.set(build, answer);
  return answer;
}

function others({ rules }: Run): string[] {
  return rules.projects.map(each => each.projectId);
}

function keep(run: Run, { projectId, buildId }: UnrecordedBuild, { home, image }: Place, reason: string): void {
  const subject = placeOf({ repository: home.repository, digest: image.digest });
  run.report({ projectId, buildId, subject, outcome: 'kept', reason });
}
