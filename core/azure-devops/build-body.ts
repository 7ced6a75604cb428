/**
 * The JSON of a build, in the parts that are read. What identifies a build must be there and be exactly that; the rest
 * only explains. https://learn.microsoft.com/rest/api/azure/devops/build/builds/get
 */
import * as z from 'zod';

/** An id of a project or a collection, made lower-case. */
export const guid = z.guid().toLowerCase();
/** An id of a build or a definition. */
export const buildId = z.int().positive();
const time = z.string().refine(text => Number.isFinite(Date.parse(text)), 'not a time');
/** Facts that nothing is deleted on; Azure DevOps leaves them out, or says null, where there is none. */
const text = z
  .string()
  .nullish()
  .transform(value => value ?? undefined);
const when = time.nullish().transform(value => value ?? undefined);
/** What was built: `id` is a GUID of Azure Repos, and `owner/name` on GitHub. Of another shape it is not known. */
const repository = z.object({ type: text, id: text, name: text, url: text }).nullish().catch(undefined);
/** `pr.number` stands there where a pull request started the build, on whatever host. */
const trigger = z
  .object({
    'pr.number': z
      .string()
      .regex(/^[1-9]\d{0,8}$/)
      .transform(Number),
  })
  .nullish()
  .catch(undefined);
/** `Build`, as far as it is read; every other field passes unread. */
export const buildBody = z.object({
  id: buildId,
  buildNumber: z.string(),
  project: z.object({ id: guid }),
  definition: z.object({ id: buildId }),
  deleted: z.boolean().optional(),
  deletedDate: when,
  status: text,
  result: text,
  queueTime: when,
  startTime: when,
  finishTime: when,
  sourceBranch: text,
  sourceVersion: text,
  repository,
  triggerInfo: trigger,
  keepForever: z.boolean().optional(),
  retainedByRelease: z.boolean().optional(),
});
/** A page of builds. */
export const buildList = z.object({ count: z.int().nonnegative(), value: z.array(buildBody) });
