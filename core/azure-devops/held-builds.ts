/**
 * Which classic releases hold a build. Azure DevOps keeps a build that a release may deploy again, but a release can
 * outlive its build all the same: by a stage that retains nothing, or a deletion that found a way.
 * https://learn.microsoft.com/rest/api/azure/devops/release/releases/list
 */
import * as z from 'zod';
import { guid, buildId as id } from './build-body.ts';
import type { AzureDevOps } from './connection.ts';
import { askPages, nothing, readPage } from './pages.ts';
import { type ArtifactBuild, buildReference } from './releases.ts';
import { checkIds, type Unknown, unknown } from './unknown.ts';

/** Nobody counts more releases of one build. */
const most = 1000;
const right = '"View releases" and "View release pipeline", and a personal access token the scope vso.release';

const release = z.object({
  id,
  name: z.string(),
  status: z.string(),
  projectReference: z.object({ id: guid }).nullish(),
  artifacts: z
    .array(z.object({ type: z.string(), definitionReference: z.unknown().optional() }))
    .nullish()
    .transform(artifacts => artifacts ?? []),
});

/** Whether the project has classic release pipelines at all: without one it has no release. */
export async function hasReleasePipelines(
  ado: AzureDevOps,
  projectId: string,
): Promise<{ readonly kind: 'some' } | { readonly kind: 'none' } | Unknown> {
  const what = `the classic release pipelines of project ${projectId}`;
  const wrong = checkIds(what, projectId, 1);
  if (wrong !== undefined) return wrong;
  const path = [projectId, '_apis', 'release', 'definitions'];
  const answer = await ado.ask({ what, path, query: { $top: 1 }, right });
  if (answer.kind !== 'ok') return unknown(what, answer);
  const page = readPage(what, answer.body, z.object({ id }));
  if (!Array.isArray(page)) return page;
  if (page.length === 0 && answer.continuationToken !== undefined) return nothing(what, 'an empty page goes on');
  return { kind: page.length > 0 ? 'some' : 'none' };
}

/**
 * Lists the releases of the build's own project that take it and are not abandoned, by their names. An answer with a
 * release that takes other builds only is `unknown`: the filter was not heeded.
 */
export async function listHoldingReleases(
  ado: AzureDevOps,
  build: Omit<ArtifactBuild, 'number'>,
): Promise<{ readonly kind: 'found'; readonly names: readonly string[] } | Unknown> {
  const { projectId, definitionId, buildId } = build;
  const what = `the classic releases of build ${buildId} of project ${projectId}`;
  const wrong = checkIds(what, projectId, definitionId, buildId);
  if (wrong !== undefined) return wrong;
  const filter = {
    artifactTypeId: 'Build',
    sourceId: `${projectId}:${definitionId}`,
    artifactVersionId: buildId,
    $expand: 'artifacts',
  };
  const request = { what, path: [projectId, '_apis', 'release', 'releases'], query: filter, right };
  const answer = await askPages(ado, { request, item: release, most });
  if (answer.kind === 'unknown') return answer;
  const stray = answer.items.find(each => !isOf(each, build));
  if (stray !== undefined) return nothing(what, `the answer held release ${stray.id}, which takes another build`);
  const held = answer.items.filter(each => each.status.toLowerCase() !== 'abandoned');
  return { kind: 'found', names: held.map(each => each.name) };
}

/** Where the artifacts are not told, the filter is believed: it holds the build. */
function isOf({ artifacts, projectReference }: z.infer<typeof release>, build: Omit<ArtifactBuild, 'number'>): boolean {
  const projectId = build.projectId.toLowerCase();
  if (projectReference != null && projectReference.id !== projectId) return false;
  return (
    artifacts.length === 0 ||
    artifacts.some(({ type, definitionReference }) => {
      const read = type === 'Build' ? buildReference.safeParse(definitionReference) : undefined;
      // What cannot be read may be it.
      if (!read?.success) return type === 'Build';
      const { project, definition, version } = read.data;
      return project.id === projectId && definition.id === build.definitionId && version.id === build.buildId;
    })
  );
}
