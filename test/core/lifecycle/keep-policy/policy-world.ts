/**
 * Small worlds for policies, written so that a person who writes policies can read them, and made into facts.
 * An age is a number and a unit, `30d`: how long before now. An image is `registry/repository name`; its name stands for a digest.
 */
import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import type { Reading } from '../../../../core/base/reading.ts';
import type { HelmReleaseFact, UseFact } from '../../../../core/kubernetes/usage.ts';
import type {
  BuildFact,
  BuildState,
  ImageFact,
  PlanFacts,
  PlanRules,
  RecordFact,
  TagFact,
} from '../../../../core/lifecycle/keep-policy/policy-facts.ts';
import { deleteSchema, keepSchema } from '../../../../core/lifecycle/keep-policy/policy-schema.ts';
import type { Digest } from '../../../../core/oci/digest.ts';

/** One world, its policy, and what is to become of each image. */
export interface Scenario {
  readonly title: string;
  /** The keys `keep` and `delete` as in the configuration. What is not said is off, unless `defaults` is true. */
  readonly policy: string;
  readonly defaults?: boolean;
  /** The repositories that builds may have images in; any where nothing is said. */
  readonly given?: readonly string[];
  /** `onBuildDeleted` of each registry, `none` where it is left out; `ci` with `delete` alone where nothing is said. */
  readonly registries?: Readonly<Record<string, 'delete' | 'keep' | 'none'>>;
  /** Branches that exist, with the age of their last activity; `?` where that is not known. */
  readonly branches?: Readonly<Record<string, string>> | 'unread';
  /** Tags of git that exist: age, and the commit they are on (`?` where that is not known; its own where it is left out). */
  readonly gitTags?: Readonly<Record<string, string>> | 'unread';
  /** Pull requests: state and age. */
  readonly pullRequests?: Readonly<Record<number, string>> | 'unread';
  /** Builds by id: `main 3d deleted`, with `commit:c1`, `number:1.2`, `lease:QA`, `pipeline:7`; `?` is a reference not known. */
  readonly builds?: Readonly<Record<number, string>>;
  readonly images: Readonly<Record<string, World>>;
  /** What runs, by cluster: references in which `@name` stands for that image's digest. */
  readonly runs?: Readonly<Record<string, readonly (string | readonly [image: string, imageId: string])[] | 'unread'>>;
  /** The age of each cluster's report; 1 h where nothing is said. */
  readonly reported?: Readonly<Record<string, string>>;
  /** Helm releases of the first cluster: the oldest revision in use (`?` not known), and the images of each revision. */
  readonly helm?: Readonly<
    Record<string, { readonly oldestInUse: number | '?'; readonly revisions: Readonly<Record<number, string>> }>
  >;
  /** What could not be read, with why: `ci`, `ci/web`, `records of ci`, `contoso`. */
  readonly unread?: Readonly<Record<string, string>>;
  /** Each image that stays, with a part of one of its reasons or several. */
  readonly keeps?: Readonly<Record<string, string | readonly string[]>>;
  /** Each image that goes. */
  readonly deletes?: Readonly<Record<string, string | readonly string[]>>;
}

/** An image. Without more it was pushed when its first build finished (30 days ago if none did), and its tags are the ids of its builds. */
export interface World {
  /** Ids of the builds whose records name it. */
  readonly builds?: readonly number[];
  /** Those that promoted it. */
  readonly promoted?: readonly number[];
  readonly tags?: readonly string[];
  /** Tags that names the content of a chart. */
  readonly content?: readonly string[];
  readonly pushed?: string;
  /** When its tags were set; as it was pushed where nothing is said. */
  readonly tagged?: string;
  readonly locked?: true | string;
  readonly children?: readonly string[] | '?';
  readonly subject?: string;
  readonly recordSays?: 'keep';
  /** Builds whose tombstones claim it, or an index that it is a child of. */
  readonly released?: readonly number[];
  /** Whether these tombstones settle records. */
  readonly releasedByRecord?: true;
  /** Tags that tombstones say came off it. */
  readonly taken?: readonly string[];
}

/** When every scenario is planned. */
export const now = Date.parse('2026-06-01T12:00:00Z');
const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const off = { keep: { deployed: false, references: [], newerThan: '0s' } };

/** The digest that a name stands for. */
export function digestOf(name: string): Digest {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`;
}

/** Puts names where digests stand. */
export function nameDigests(text: string, { images }: Scenario): string {
  const names = new Set(Object.keys(images).map(key => key.split(' ')[1] ?? ''));
  return [...names].reduce((rest, name) => rest.replaceAll(digestOf(name), name), text);
}

/** The rules of a scenario. Throws where its policy is not valid. */
export function rulesOf(scenario: Scenario): PlanRules {
  const said = (parse(scenario.policy) ?? {}) as { keep?: object; delete?: object };
  const registries = scenario.registries ?? { ci: 'delete' };
  return {
    keep: keepSchema.parse(scenario.defaults ? said.keep : { ...off.keep, ...said.keep }),
    delete: deleteSchema.parse(said.delete),
    registries: Object.entries(registries).map(([name, rule]) => ({
      name,
      onBuildDeleted: rule === 'none' ? undefined : rule,
    })),
    organizations: [
      {
        name: 'contoso',
        buildTagPrefix: '',
        alsoOwn: [],
        projects: [{ name: 'shop', repositories: scenario.given ?? ['*'] }],
      },
    ],
    usage: Object.keys(scenario.runs ?? {}).map(name => ({ name, maxAge: unitsMs['d'] })),
  };
}

/** The facts of a scenario. */
export function factsOf(scenario: Scenario): PlanFacts {
  const { unread = {}, runs = {} } = scenario;
  const [firstCluster] = Object.keys(runs);
  return {
    now,
    registries: Object.keys(scenario.registries ?? { ci: 'delete' }).map(name => registryOf(name, scenario)),
    builds: Object.entries(scenario.builds ?? {}).map(([id, text]) => buildOf(Number(id), text)),
    organizations: [{ name: 'contoso', ...(unread['contoso'] && { unread: unread['contoso'] }) }],
    sources: [
      {
        source: 'shop',
        branches: readingOf(scenario.branches, (name, text) => ({ name, lastActivity: momentOf(text) })),
        tags: readingOf(scenario.gitTags, (name, text) => {
          const [age = '', commit = `commit of ${name}`] = text.split(' ');
          return { name, date: momentOf(age), commit: commit === '?' ? undefined : commit };
        }),
        pullRequests: readingOf(scenario.pullRequests, (id, text) => {
          const [state = '', age = ''] = text.split(' ');
          return { id: Number(id), state: state as 'active', lastActivity: momentOf(age) };
        }),
      },
    ],
    usage: Object.entries(runs).map(([name, uses]) => ({
      name,
      takenAt: momentOf(scenario.reported?.[name] ?? '1h'),
      uses: uses === 'unread' ? { kind: 'unread', reason: '403' } : { kind: 'whole', items: uses.map(useOf) },
      releases: { kind: 'whole', items: name === firstCluster ? releasesOf(scenario) : [] },
    })),
  };
}

function readingOf<T>(
  said: Readonly<Record<string, string>> | 'unread' | undefined,
  read: (name: string, text: string) => T,
): Reading<T> {
  if (said === 'unread') return { kind: 'unread', reason: '403' };
  return { kind: 'whole', items: Object.entries(said ?? {}).map(([name, text]) => read(name, text)) };
}

/** Milliseconds of an age before now; `?` is not known. */
export function momentOf(age: string): number | undefined {
  const [, count = '', unit = ''] = /^(-?\d+)([mhd])$/.exec(age) ?? [];
  if (age === '?') return undefined;
  if (unit === '') throw new Error(`"${age}" is not an age`);
  return now - Number(count) * (unitsMs[unit] ?? 0);
}

function registryOf(name: string, { images, builds = {}, unread = {} }: Scenario): PlanFacts['registries'][number] {
  const own = Object.entries(images).filter(([key]) => key.startsWith(`${name}/`));
  const byRepository = new Map<string, ImageFact[]>();
  const records: RecordFact[] = [];
  for (const [key, image] of own) {
    const [place = '', letter = ''] = key.split(' ');
    const repository = place.slice(name.length + 1);
    byRepository.set(repository, [...(byRepository.get(repository) ?? []), imageOf(letter, image, builds)]);
    for (const id of image.builds ?? []) records.push(recordOf(id, false, repository, { ...image, letter }));
    for (const id of image.promoted ?? []) records.push(recordOf(id, true, repository, { ...image, letter }));
  }
  const whole = <T>(what: string, items: readonly T[]): Reading<T> =>
    unread[what] === undefined ? { kind: 'whole', items } : { kind: 'unread', reason: unread[what] };
  const repositories = [...byRepository].map(([repository, items]) => ({
    name: repository,
    images: whole(`${name}/${repository}`, items),
  }));
  return { name, repositories: whole(name, repositories), records: whole(`records of ${name}`, records) };
}

function tagsOf({ builds = [], promoted = [], tags }: World): readonly string[] {
  return tags ?? [...builds, ...promoted].map(String);
}

function imageOf(name: string, image: World, builds: Readonly<Record<number, string>>): ImageFact {
  const pushed = image.pushed ?? ageOf(image, builds);
  const tag = (each: string, content: boolean): TagFact => ({
    name: each,
    locked: image.locked === each,
    changedAt: momentOf(image.tagged ?? pushed),
    content,
  });
  const own = tagsOf(image).map(each => tag(fillDigest(each), false));
  return {
    digest: digestOf(name),
    mediaType: '',
    size: 1,
    locked: image.locked === true,
    pushedAt: momentOf(pushed),
    tags: [...own, ...(image.content ?? []).map(each => tag(each, true))],
    children: image.children === '?' ? undefined : (image.children ?? []).map(digestOf),
    subject: subjectOf(image),
    released: image.released?.map(id => ({
      organization: 'contoso',
      project: 'shop',
      id,
      recorded: image.releasedByRecord === true,
    })),
    takenTags: image.taken,
  };
}

/** That of its first build. */
function ageOf({ builds = [], promoted = [] }: World, told: Readonly<Record<number, string>>): string {
  const [first = 0] = [...builds, ...promoted];
  const [, age = '30d'] = told[first]?.split(' ') ?? [];
  return age === 'running' ? '1h' : age;
}

function subjectOf({ subject }: World): ImageFact['subject'] {
  if (subject === '?') return undefined;
  return subject === undefined ? 'none' : digestOf(subject);
}

/** `sha256-a.sig` is the tag of the signature of a. */
function fillDigest(tag: string): string {
  return tag.replace(/^sha256-([a-z]+)\b/, (_, name: string) => digestOf(name).replace(':', '-'));
}

function recordOf(id: number, promoted: boolean, repository: string, image: World & { letter: string }): RecordFact {
  return {
    build: { organization: 'contoso', project: 'shop', id },
    definition: 7,
    promoted,
    onBuildDeleted: image.recordSays ?? 'delete',
    images: [{ repository, digest: digestOf(image.letter), tags: tagsOf(image) }],
  };
}

function buildOf(id: number, text: string): BuildFact {
  const [ref = '', age = '', state = 'deleted', ...more] = text.split(' ');
  const word = (key: string): string | undefined =>
    more.find(each => each.startsWith(`${key}:`))?.slice(key.length + 1);
  const finishedAt = age === 'running' ? undefined : momentOf(age);
  const lease = word('lease');
  return {
    build: { organization: 'contoso', project: 'shop', id },
    definition: Number(word('pipeline') ?? 7),
    number: word('number'),
    queuedAt: finishedAt === undefined ? now - 7_200_000 : finishedAt - 7_200_000,
    startedAt: finishedAt === undefined ? now - 3_600_000 : finishedAt - 3_600_000,
    finishedAt,
    source: word('source') ?? 'shop',
    ref: refOf(ref),
    commit: word('commit') ?? `commit of ${id}`,
    state: stateOf(state),
    retainedBy:
      lease === 'unread'
        ? { kind: 'unread', reason: '403' }
        : { kind: 'whole', items: lease === undefined ? [] : [`the lease ${lease}`] },
  };
}

function refOf(text: string): string {
  if (text === '?') return '';
  if (text.startsWith('tag:')) return `refs/tags/${text.slice(4)}`;
  if (text.startsWith('pr:')) return `refs/pull/${text.slice(3)}/merge`;
  return `refs/heads/${text}`;
}

function stateOf(text: string): BuildState {
  const [kind = '', age = '?'] = text.split(':');
  if (kind === 'alive' || kind === 'deleted') return { kind };
  if (kind === 'absent') return { kind, scope: 'build', since: momentOf(age) };
  if (kind === 'withoutPipeline') return { kind: 'absent', scope: 'definition', since: momentOf(age) };
  return { kind: 'unknown', reason: 'Azure DevOps answered 503' };
}

function useOf(use: string | readonly [string, string], at: number): UseFact {
  const [image, imageId] = typeof use === 'string' ? [use, undefined] : use;
  return {
    image: fillReference(image),
    imageId: imageId === undefined ? undefined : fillReference(imageId),
    where: `pod ${at + 1}`,
  };
}

function fillReference(text: string): string {
  return text.replace(/@([a-z]+)$/, (_, name: string) => `@${digestOf(name)}`);
}

function releasesOf({ helm = {} }: Scenario): HelmReleaseFact[] {
  return Object.entries(helm).map(([name, { oldestInUse, revisions }]) => ({
    namespace: 'shop',
    name,
    oldestInUse: oldestInUse === '?' ? undefined : oldestInUse,
    revisions: Object.entries(revisions).map(([revision, text]) => {
      const [image = '', status = 'superseded'] = text.split(' ');
      return { revision: Number(revision), status, images: [fillReference(image)] };
    }),
  }));
}
