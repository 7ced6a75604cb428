/** Random worlds: whatever may happen to a registry and its builds, in any order. world-oracle.ts judges it. */
import fc from 'fast-check';
import type { Veto } from '../../../core/lifecycle/veto.ts';
import { pushChart, putChart } from './charts-in.ts';
import { day, hour, startEstate } from './estate.ts';
import { leavePromotion } from './promoted-copies.ts';
import {
  checkNoChartOutlives,
  checkNothingOutlives,
  checkTagsCameBack,
  type Play,
  repositories,
  watch,
} from './world-oracle.ts';

/** One thing that happens. Numbers choose among what is there, by remainder. */
export type Step =
  | { readonly do: 'image'; readonly repository: number }
  | { readonly do: 'index'; readonly repository: number; readonly children: readonly number[] }
  | { readonly do: 'referrer'; readonly repository: number; readonly subject: number; readonly tagged: boolean }
  | { readonly do: 'cosign'; readonly repository: number; readonly subject: number }
  | {
      readonly do: 'build';
      readonly repository: number;
      readonly manifest: number;
      readonly keep: boolean;
      /** By a promotion; else pushed by the build. */
      readonly promoted: boolean;
    }
  | { readonly do: 'chart'; readonly repository: number; readonly content: number; readonly keep: boolean }
  | { readonly do: 'rerun'; readonly build: number; readonly manifest: number }
  | { readonly do: 'promote'; readonly build: number; readonly repository: number; readonly manifest: number }
  | { readonly do: 'rule'; readonly promoted: 'delete' | 'keep' }
  | { readonly do: 'tag'; readonly repository: number; readonly manifest: number; readonly name: number }
  | { readonly do: 'move'; readonly repository: number; readonly tag: number; readonly manifest: number }
  | { readonly do: 'lock' | 'unlock'; readonly repository: number; readonly manifest: number }
  | { readonly do: 'deleteBuild' | 'purgeBuild' | 'reviveBuild'; readonly build: number }
  | { readonly do: 'advance'; readonly hours: number }
  | { readonly do: 'veto'; readonly repository: number; readonly manifests: readonly number[] }
  /** `stop`: at which question the time is over; 0: at none. */
  | { readonly do: 'reconcile'; readonly fault: number; readonly stop: number };

const some = fc.nat({ max: 50 });
/** None, or one at a request that a reconciliation comes to: without a bias, which would have most fail at the first. */
const fault = fc.oneof(fc.constant(0), fc.noBias(fc.integer({ min: 1, max: 150 })));
const stop = fc.oneof(fc.constant(0), fc.constant(0), fc.noBias(fc.integer({ min: 1, max: 30 })));
const repository = fc.nat({ max: 1 });

const any: fc.Arbitrary<Step> = fc.oneof(
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
      promoted: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('chart' as const),
      repository,
      content: fc.nat({ max: 2 }),
      keep: fc.nat({ max: 5 }).map(n => n === 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rerun' as const), build: some, manifest: some }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('promote' as const), build: some, repository, manifest: some }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('rule' as const),
      promoted: fc.constantFrom('delete' as const, 'keep' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('tag' as const), repository, manifest: some, name: fc.nat({ max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), repository, tag: some, manifest: some }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('lock' as const, 'unlock' as const), repository, manifest: some }),
  },
  {
    weight: 7,
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
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('veto' as const), repository, manifests: fc.array(some, { maxLength: 4 }) }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('reconcile' as const), fault, stop }) },
);

const something: readonly Step[] = [
  ...[0, 0, 1, 1].map(at => ({ do: 'image' as const, repository: at })),
  ...[false, true, false, true].map((promoted, at) => ({
    do: 'build' as const,
    repository: at % 2,
    manifest: at,
    keep: false,
    promoted,
  })),
];

/** Any sequence of steps; it begins with something to lose. */
export const steps: fc.Arbitrary<readonly Step[]> = fc
  // Without a size the worlds would be short, and hardly a build would die in them.
  .array(any, { minLength: 15, maxLength: 60, size: 'max' })
  .map(rest => [...something, ...rest]);

const names = ['v1.0.0', 'latest', 'prod', '47', 'rc-1'];

/** Plays the steps, then lets everything come to rest, and gives every breach of a law. */
export async function play(all: readonly Step[]): Promise<string[]> {
  const estate = await startEstate();
  const state: Play = {
    estate,
    builds: [],
    untagged: new Map(),
    childrenOf: new Map(),
    vetoed: new Set(),
    violations: [],
  };
  estate.rules = {
    ...estate.rules,
    brake: { deleted: { images: 1e6, percent: 1e6 }, absent: { images: 1e6, percent: 1e6 } },
  };
  try {
    for (const step of all) await apply(state, step);
    state.vetoed.clear();
    watch(state, 0);
    for (let days = 0; days < 9; days += 1) {
      await estate.reconcile();
      estate.advance(day + hour);
    }
    estate.acr.faults.clear();
    checkNothingOutlives(state);
    checkNoChartOutlives(state);
    checkTagsCameBack(state);
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
    const { estate } = state;
    const onBuildDeleted = step.keep ? 'keep' : 'delete';
    const { id } = estate.ado.world.addBuild({ definitionId: estate.definitionId });
    const copy = { repository: nameOf(step), digest: image.digest };
    if (step.promoted) await leavePromotion(estate, id, { copies: [copy], onBuildDeleted });
    else await estate.tag(id, [{ repository: copy.repository, reference: copy.digest }], { onBuildDeleted });
    const names = [{ ...copy, promoted: step.promoted }];
    state.builds.push({ id, repository: copy.repository, keep: step.keep, names });
  },
  chart: async (state, { repository, content, keep }) => {
    const { estate } = state;
    // Two builds with the same content share it.
    const chart = putChart(estate.acr, nameOf({ repository }), `1.0.0+c.${String(content).repeat(10)}`);
    const { id } = estate.ado.world.addBuild({ definitionId: estate.definitionId });
    await pushChart(estate, id, chart, { onBuildDeleted: keep ? 'keep' : 'delete' });
    const names = [{ repository: chart.repository, digest: chart.digest, promoted: false }];
    state.builds.push({ id, repository: chart.repository, keep, names });
  },
  rerun: async (state, step) => {
    const found = buildAt(state, step.build);
    const image = found && describe(state, found.build.repository, step.manifest);
    if (!image || found.facts.deleted) return;
    const { id, repository, keep, names } = found.build;
    names.push({ repository, digest: image.digest, promoted: false });
    const onBuildDeleted = keep ? 'keep' : 'delete';
    const options = { attempt: '2.1', overwrite: true, onBuildDeleted } as const;
    await state.estate.tag(id, [{ repository, reference: image.digest }], options);
  },
  promote: async (state, step) => {
    const found = buildAt(state, step.build);
    const image = found && describe(state, nameOf(step), step.manifest);
    if (!image || found.facts.deleted) return;
    const copy = { repository: nameOf(step), digest: image.digest };
    found.build.names.push({ ...copy, promoted: true });
    const onBuildDeleted = found.build.keep ? 'keep' : 'delete';
    await leavePromotion(state.estate, found.build.id, { copies: [copy], onBuildDeleted });
  },
  rule: ({ estate }, step) => {
    estate.rules = { ...estate.rules, promoted: step.promoted };
  },
  tag: (state, step) => {
    const image = describe(state, nameOf(step), step.manifest);
    const name = names[step.name] ?? `${image?.digest.replace(':', '-')}.imgpkg`;
    if (image) state.estate.acr.world.tag(nameOf(step), name, image.digest);
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
  veto: ({ estate, vetoed }, step) => {
    const there = estate.acr.world.manifests(nameOf(step));
    for (const place of vetoed) if (place.startsWith(`${nameOf(step)}@`)) vetoed.delete(place);
    for (const at of step.manifests) vetoed.add(`${nameOf(step)}@${pick(there, at)}`);
  },
  reconcile: async (state, step) => {
    watch(state, step.fault);
    let asked = 0;
    const until = (): boolean => (asked += 1) === step.stop;
    const veto: Veto = (name, digest) => (state.vetoed.has(`${name}@${digest}`) ? 'it runs' : undefined);
    await state.estate.reconcile({ veto, until }).catch(() => undefined);
    state.estate.acr.faults.clear();
  },
};

async function apply(state: Play, step: Step): Promise<void> {
  await (actions[step.do] as (state: Play, step: Step) => unknown)(state, step);
}
