/**
 * Classic releases. They have a host of their own: `https://vsrm.dev.azure.com/{organization}`, and on Azure DevOps
 * Server the collection's. https://learn.microsoft.com/rest/api/azure/devops/release/releases/get-release
 */
import * as z from 'zod';
import { guid, buildId as id } from './build-body.ts';
import type { AzureDevOps } from './connection.ts';
import { checkIds, misunderstood, type Unknown, unknown } from './unknown.ts';

/** The build that an artifact is. */
export interface ArtifactBuild {
  /** Lower-case; it may be another project than the release's. */
  readonly projectId: string;
  readonly definitionId: number;
  readonly buildId: number;
  readonly number: string;
}

/** One artifact of a release. */
export interface ReleaseArtifact {
  readonly alias: string;
  /** `Build`, `Git`, `Jenkins`, …, or whatever an extension brings. */
  readonly type: string;
  readonly isPrimary: boolean;
  /** There exactly where the type is `Build`: a build of this organization or collection. */
  readonly build?: ArtifactBuild;
}

/** A release, as far as it is read. */
export interface ReleaseFacts {
  readonly id: number;
  readonly artifacts: readonly ReleaseArtifact[];
}

const numeric = z
  .string()
  .regex(/^[1-9][0-9]{0,9}$/)
  .transform(Number);
const text = z.string().min(1);
const releaseBody = z.object({
  id,
  projectReference: z.object({ id: guid }).nullish(),
  artifacts: z.array(
    z.object({
      alias: text,
      type: text,
      isPrimary: z.boolean().nullish(),
      definitionReference: z.unknown().optional(),
    }),
  ),
});
/** What `definitionReference` says of a build. Its ids are strings. */
export const buildReference = z.object({
  project: z.object({ id: guid }),
  definition: z.object({ id: numeric }),
  version: z.object({ id: numeric, name: text }),
});

/** Asks for a release. One artifact that is not understood makes the whole answer `unknown`: which images, is not guessed. */
export async function getRelease(
  ado: AzureDevOps,
  projectId: string,
  releaseId: number,
): Promise<{ readonly kind: 'found'; readonly release: ReleaseFacts } | Unknown> {
  const what = `release ${releaseId} of project ${projectId}`;
  const wrong = checkIds(what, projectId, releaseId);
  if (wrong !== undefined) return wrong;
  const answer = await ado.ask({
    what,
    path: [projectId, '_apis', 'release', 'releases', String(releaseId)],
    right: '"View releases" on its pipeline, and a personal access token the scope vso.release',
  });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const body = releaseBody.safeParse(answer.body);
  if (!body.success) return misunderstood(what, body.error);
  const { artifacts, projectReference } = body.data;
  if (body.data.id !== releaseId || (projectReference?.id ?? projectId.toLowerCase()) !== projectId.toLowerCase()) {
    return { kind: 'unknown', reason: `${what}: the answer held another release; check the URL` };
  }
  const read: ReleaseArtifact[] = [];
  for (const { alias, type, isPrimary, definitionReference } of artifacts) {
    const about = `${what}, its artifact "${alias}"`;
    if (read.some(each => sameAlias(each.alias, alias)))
      return { kind: 'unknown', reason: `${about}: it is there twice` };
    const artifact = { alias, type, isPrimary: isPrimary === true };
    const build = type === 'Build' ? buildReference.safeParse(definitionReference) : undefined;
    if (build?.success === false) return misunderstood(about, build.error);
    read.push(build === undefined ? artifact : { ...artifact, build: toBuild(build.data) });
  }
  return { kind: 'found', release: { id: releaseId, artifacts: read } };
}

/** Aliases have no case, as variables have none. */
export function sameAlias(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function toBuild({ project, definition, version }: z.infer<typeof buildReference>): ArtifactBuild {
  return { projectId: project.id, definitionId: definition.id, buildId: version.id, number: version.name };
}
