/** What a keep plan, and an approved one beside it, forbid to those who delete; and what the brake lets through. Pure. */
import type { Digest } from '../../oci/digest.ts';
import type { EstateOrganization } from '../facts/estate.ts';
import type { KeepPlan, PlannedImage } from '../keep-policy/keep-plan.ts';
import type { Plan } from '../report.ts';
import type { Step, Veto } from '../veto.ts';
import type { CleanPlan, PlannedDeletion } from './clean-plan.ts';

/** So many reasons of an image are told. */
const toldReasons = 3;

const nobodyApproved: Readonly<Record<Step, string>> = {
  untag: 'the approved plan does not take its tags off',
  delete: 'the approved plan does not delete it',
};

/** Makes the veto of one registry: it lets a step be judged where the plan has the image go. One that it does not know stays. */
export function vetoByPlan(registry: string, { images }: KeepPlan): Veto {
  const planned = indexByPlace(images.filter(each => each.registry === registry));
  return (repository, digest) => {
    const image = planned.get(repository)?.get(digest);
    if (!image) return 'the keep plan does not know it';
    return image.decision === 'keep' ? tellReasons(image) : undefined;
  };
}

/** What an approved plan leaves unapproved in one registry: every step of an image but the one that stands in it. */
export function unapprovedBy(approved: CleanPlan, registry: string): Veto {
  const allowed = indexByPlace(deletionsOf(approved, registry));
  return (repository, digest, step) =>
    allowed.get(repository)?.get(digest)?.step === step ? undefined : nobodyApproved[step];
}

/** What the brake lets through of an approved plan: builds of one organization, each with as many images. */
export function releasesOf(
  approved: CleanPlan,
  registry: string,
  { name, projects }: Pick<EstateOrganization, 'name' | 'projects'>,
): Plan {
  const counts = new Map<string, { projectId: string; buildId: number; images: number }>();
  for (const { step, builds } of deletionsOf(approved, registry)) {
    for (const build of step === 'untag' ? builds : []) {
      const project = build.organization === name ? projects.find(each => each.name === build.project) : undefined;
      if (!project) continue;
      const key = `${project.id}/${build.id}`;
      const known = counts.get(key) ?? { projectId: project.id, buildId: build.id, images: 0 };
      counts.set(key, { ...known, images: known.images + 1 });
    }
  }
  return { release: [...counts.values()], collect: [] };
}

function deletionsOf({ deletions }: CleanPlan, registry: string): PlannedDeletion[] {
  return deletions.filter(each => each.registry === registry);
}

function tellReasons({ reasons }: PlannedImage): string {
  const more = reasons.length - toldReasons;
  return `${reasons.slice(0, toldReasons).join('; ')}${more > 0 ? `; and ${more} more` : ''}`;
}

/** By repository and digest: of 200,000 images no text is made for each. */
function indexByPlace<T extends { readonly repository: string; readonly digest: Digest }>(
  images: readonly T[],
): Map<string, Map<Digest, T>> {
  const found = new Map<string, Map<Digest, T>>();
  for (const image of images) {
    const own = found.get(image.repository) ?? new Map<Digest, T>();
    found.set(image.repository, own);
    own.set(image.digest, image);
  }
  return found;
}
