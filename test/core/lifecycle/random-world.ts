/** Random worlds and what the four laws say of them, judged by an oracle that shares no code with the product. */
import fc from 'fast-check';
import { day, type Estate, hour, startEstate } from './estate.ts';

/** One thing that happens. Numbers choose among what is there, by remainder. */
export type Step =
  | { readonly do: 'image'; readonly repository: number }
  | { readonly do: 'index'; readonly repository: number; readonly children: readonly number[] }
  | { readonly do: 'referrer'; readonly repository: number; readonly subject: number; readonly tagged: boolean }
  | { readonly do: 'cosign'; readonly repository: number; readonly subject: number }
  | { readonly do: 'build'; readonly repository: number; readonly manifest: number; readonly keep: boolean }
  | { readonly do: 'rerun'; readonly build: number; readonly manifest: number }
  | { readonly do: 'tag'; readonly repository: number; readonly manifest: number; readonly name: number }
  | { readonly do: 'move'; readonly repository: number; readonly tag: number; readonly manifest: number }
  | { readonly do: 'lock' | 'unlock'; readonly repository: number; readonly manifest: number }
  | { readonly do: 'deleteBuild' | 'purgeBuild' | 'reviveBuild'; readonly build: number }
  | { readonly do: 'advance'; readonly hours: number }
  | { readonly do: 'reconcile'; readonly fault: number };

const some = fc.nat({ max: 50 });
const repository = fc.nat({ max: 1 });

/** Any sequence of steps; it begins with something to lose. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('image' as const), repository }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('index' as const),
        repository,
        children: fc.array(some, { minLength: 1, maxLength: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('referrer' as const), repository, subject: some, tagged: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cosign' as const), repository, subject: some }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('build' as const),
        repository,
        manifest: some,
        keep: fc.nat({ max: 5 }).map(n => n === 0),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rerun' as const), build: some, manifest: some }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('tag' as const), repository, manifest: some, name: fc.nat({ max: 4 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), repository, tag: some, manifest: some }) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constantFrom('lock' as const, 'unlock' as const), repository, manifest: some }),
    },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'deleteBuild' as const,
          'deleteBuild' as const,
          'purgeBuild' as const,
          'reviveBuild' as const,
        ),
        build: some,
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('advance' as const), hours: fc.nat({ max: 40 }) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant('reconcile' as const), fault: fc.nat({ max: 400 }) }) },
  ),
  { minLength: 10, maxLength: 45 },
);

const repositories = ['app', 'team/api'];
const names = ['v1.0.0', 'latest', 'prod', '47', 'rc-1'];

interface Play {
  readonly estate: Estate;
  /** Builds that this play made, and whether each may be deleted from. */
  readonly builds: { id: number; repository: string; keep: boolean; deadSince?: number }[];
  readonly violations: string[];
}

/** Plays the steps, then lets everything come to rest, and gives every breach of a law. */
export async function play(all: readonly Step[]): Promise<string[]> {
  const estate = await startEstate();
  const state: Play = { estate, builds: [], violations: [] };
  estate.rules = {
    ...estate.rules,
    brake: { deleted: { images: 1e6, percent: 1e6 }, absent: { images: 1e6, percent: 1e6 } },
  };
  try {
    for (const step of all) await apply(state, step);
    watch(state, 0);
    for (let days = 0; days < 9; days += 1) {
      await estate.reconcile();
      estate.advance(day + hour);
    }
    estate.acr.faults.clear();
    checkNothingOutlives(state);
    return state.violations;
  } finally {
    await estate.close();
  }
}

function pick<T>(items: readonly T[], at: number): T | undefined {
  return items.length === 0 ? undefined : items[at % items.length];
}

type Actions = { readonly [S in Step as S['do']]: (state: Play, step: S) => unknown };

function describe({ estate }: Play, repository: string, at: number) {
  const digest = pick(estate.acr.world.manifests(repository), at);
  const entry = digest && estate.acr.world.manifest(repository, digest);
  return entry ? { mediaType: entry.mediaType, digest: entry.digest, size: entry.bytes.length } : undefined;
}

function nameOf(step: { readonly repository: number }): string {
  return repositories[step.repository] ?? 'app';
}

function setLock(state: Play, step: Extract<Step, { do: 'lock' | 'unlock' }>): void {
  const image = describe(state, nameOf(step), step.manifest);
  if (image) state.estate.acr.world.setAttributes(nameOf(step), image.digest, { deleteEnabled: step.do === 'unlock' });
}

/** The build of a step and what Azure DevOps has of it. */
function buildAt({ estate, builds }: Play, at: number) {
  const build = pick(builds, at);
  const facts = build && estate.ado.world.builds.get(build.id);
  return build && facts ? { build, facts } : undefined;
}

const actions: Actions = {
  image: ({ estate }, step) => estate.acr.world.putImage(nameOf(step)),
  index: (state, step) => {
    const children = step.children.flatMap(at => describe(state, nameOf(step), at) ?? []);
    return children.length > 0 && state.estate.acr.world.putIndex(nameOf(step), children);
  },
  referrer: (state, step) => {
    const subject = describe(state, nameOf(step), step.subject);
    const { world } = state.estate.acr;
    const tags = step.tagged ? [`report-${world.manifests(nameOf(step)).length}`] : [];
    const content = String(step.subject);
    return (
      subject && world.putArtifact(nameOf(step), { artifactType: 'application/vnd.report', subject, tags, content })
    );
  },
  cosign: (state, step) => {
    const subject = describe(state, nameOf(step), step.subject)?.digest.replace(':', '-');
    const artifact = { artifactType: 'application/vnd.cosign', tags: [`${subject}.sig`] };
    return subject && state.estate.acr.world.putArtifact(nameOf(step), { ...artifact, content: subject });
  },
  build: async (state, step) => {
    const image = describe(state, nameOf(step), step.manifest);
    if (!image) return;
    const onBuildDeleted = step.keep ? 'keep' : 'delete';
    const id = await state.estate.build([{ repository: nameOf(step), reference: image.digest }], { onBuildDeleted });
    state.builds.push({ id, repository: nameOf(step), keep: step.keep });
  },
  rerun: async (state, step) => {
    const found = buildAt(state, step.build);
    const image = found && describe(state, found.build.repository, step.manifest);
    if (!image || found.facts.deleted) return;
    const { id, repository, keep } = found.build;
    const onBuildDeleted = keep ? 'keep' : 'delete';
    const options = { attempt: '2.1', overwrite: true, onBuildDeleted } as const;
    await state.estate.tag(id, [{ repository, reference: image.digest }], options);
  },
  tag: (state, step) => {
    const image = describe(state, nameOf(step), step.manifest);
    if (image) state.estate.acr.world.tag(nameOf(step), names[step.name] ?? 'latest', image.digest);
  },
  move: (state, step) => {
    const { world } = state.estate.acr;
    const tag = pick(Object.keys(world.tags(nameOf(step))), step.tag);
    const image = describe(state, nameOf(step), step.manifest);
    if (tag && image) world.tag(nameOf(step), tag, image.digest);
  },
  lock: setLock,
  unlock: setLock,
  deleteBuild: (state, step) => {
    const found = buildAt(state, step.build);
    if (!found) return;
    state.estate.ado.world.deleteBuild(found.build.id);
    found.build.deadSince ??= state.estate.acr.clock.now();
  },
  purgeBuild: (state, step) => {
    const found = buildAt(state, step.build);
    if (!found) return;
    state.estate.ado.world.purgeBuild(found.build.id);
    // Something newer must be readable for an absence to be one.
    state.estate.ado.world.addBuild({ definitionId: state.estate.definitionId });
    found.build.deadSince ??= state.estate.acr.clock.now();
  },
  reviveBuild: (state, step) => {
    const found = buildAt(state, step.build);
    if (!found) return;
    delete found.facts.deleted;
    delete found.build.deadSince;
  },
  advance: ({ estate }, step) => estate.advance(step.hours * hour),
  reconcile: async (state, step) => {
    watch(state, step.fault);
    await state.estate.reconcile().catch(() => undefined);
    state.estate.acr.faults.clear();
  },
};

async function apply(state: Play, step: Step): Promise<void> {
  await (actions[step.do] as (state: Play, step: Step) => unknown)(state, step);
}

/** Looks at each deletion before it takes effect; at request number `fault` (0: never) it cuts or fails one. */
function watch(state: Play, fault: number): void {
  let count = 0;
  state.estate.acr.faults.intercept = (request, phase) => {
    if (phase === 'before') {
      count += 1;
      const { repository = '', reference = '' } = request;
      if (request.operation === 'manifest.delete' && repositories.includes(repository))
        judgeDeletion(state, repository, reference);
      if (request.operation === 'tag.delete') judgeUntag(state, repository, reference);
    }
    return fault > 0 &&
      count >= fault &&
      count < fault + 6 &&
      (fault % 2 === 0 ? phase === 'before' : phase === 'after')
      ? 'cut'
      : 'proceed';
  };
}

function judgeUntag({ estate, builds, violations }: Play, repository: string, tag: string): void {
  if (!repositories.includes(repository)) return;
  const build = builds.find(each => String(each.id) === tag);
  if (build?.repository === repository && build.deadSince !== undefined && !build.keep) return;
  if (estate.acr.world.tags(repository)[tag] === undefined) return;
  violations.push(`untagged ${repository}:${tag}, which is not a dead build's`);
}

function judgeDeletion({ estate, violations }: Play, repository: string, digest: string): void {
  const needed = neededIn(estate, repository);
  for (const victim of withReferrers(estate, repository, digest)) {
    if (needed.has(victim))
      violations.push(
        `deleted ${repository}@${victim}${victim === digest ? '' : ` with ${digest}`}: ${needed.get(victim)}`,
      );
  }
}

/** Everything that Azure deletes with `digest`. */
function withReferrers(estate: Estate, repository: string, digest: string): string[] {
  const { world } = estate.acr;
  const found = [digest];
  for (const each of found) {
    for (const other of world.manifests(repository)) {
      if (world.manifest(repository, other)?.document.subject?.digest === each && !found.includes(other))
        found.push(other);
    }
  }
  return world.has(repository, digest) ? found : [];
}

/** By brute force: what a tag or a lock holds, and the children of that. */
function neededIn(estate: Estate, repository: string): Map<string, string> {
  const { world } = estate.acr;
  const needed = new Map<string, string>();
  const need = (digest: string, why: string): void => {
    if (needed.has(digest) || !world.has(repository, digest)) return;
    needed.set(digest, why);
    for (const child of world.manifest(repository, digest)?.document.manifests ?? [])
      need(child.digest, `child of ${digest}, ${why}`);
  };
  for (const [tag, digest] of Object.entries(world.tags(repository)))
    if (!tag.startsWith('sha256-')) need(digest, `tag ${tag}`);
  for (const digest of world.manifests(repository)) {
    if (world.manifest(repository, digest)?.attributes.deleteEnabled === false) need(digest, 'locked');
  }
  return needed;
}

/** Law 3: at rest, no dead build's tag is left that nothing locks, and no record of a build that may go. */
function checkNothingOutlives({ estate, builds, violations }: Play): void {
  const { world } = estate.acr;
  for (const build of builds.filter(each => each.deadSince !== undefined && !each.keep)) {
    const digest = world.tags(build.repository)[build.id];
    const entry = digest === undefined ? undefined : world.manifest(build.repository, digest);
    const isRecorded = entry !== undefined && recorded(estate, build.id).has(entry.digest);
    if (entry && isRecorded && entry.attributes.deleteEnabled)
      violations.push(`${build.repository}:${build.id} outlives its build`);
  }
}

function recorded(estate: Estate, buildId: number): Set<string> {
  const { world } = estate.acr;
  const repository = `image-lifecycle/builds/${estate.projectId}`;
  const tags = Object.entries(world.tags(repository)).filter(([tag]) => tag.startsWith(`${buildId}.`));
  return new Set(
    tags.flatMap(([, digest]) => {
      const layer = world.manifest(repository, digest)?.document.layers?.[0]?.digest;
      const text = layer === undefined ? '{}' : String(world.blobs.read(layer));
      return ((JSON.parse(text) as { images?: { digest: string }[] }).images ?? []).map(image => image.digest);
    }),
  );
}
