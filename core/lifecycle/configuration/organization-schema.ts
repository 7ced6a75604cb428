/** The parts of the configuration that say whose builds there are: `organizations`, or `organization` and `projects`. */
import { z } from 'zod';
import { guid, isGlob, repositoryPatterns, say, url } from './configuration-values.ts';
import { organizationSignIn } from './sign-in.ts';

/** A star beside a placeholder, or a digit, would let build 47 own what is build 471's. */
const ownPattern = /^(?:(?![{}]).)*(?<![*0-9])\{(?:buildId|buildNumber)\}(?![*0-9])(?:(?![{}]).)*$/;
const tagPattern = z
  .string()
  .max(128, 'must have at most 128 characters')
  .refine(
    isGlob(/^[A-Za-z0-9_*{}][A-Za-z0-9._*{}-]*$/),
    'must be a tag, in which up to four * stand for any characters',
  )
  .refine(
    text => ownPattern.test(text),
    'must hold {buildId} or {buildNumber} once, with neither a digit nor * beside it: build 47 must not own 471',
  )
  .meta({ pattern: ownPattern.source });

const guidShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions#project-names */
const projectName = z
  .string()
  .max(64, 'must have at most 64 characters')
  .regex(
    /^(?![_.])[^\\/:*?"'<>;#$*{},+=[\]|\p{Cc}]+(?<!\.)$/u,
    'must be the name of a project of Azure DevOps, or its id, a GUID',
  );

const projectBlock = z
  .strictObject({
    id: guid.optional().describe("The project's id, which stays when the project is renamed."),
    name: projectName.optional().describe("The project's name."),
    repositories: repositoryPatterns.describe(
      "The repositories that the project's builds may have images in; * stands for any characters.",
    ),
  })
  .refine(value => value.id === undefined || value.name === undefined, 'must have id or name, not both')
  .refine(value => value.id !== undefined || value.name !== undefined, 'must have id, a GUID, or name')
  .meta({ oneOf: [{ required: ['id'] }, { required: ['name'] }] });

/** A project as it was written: by its id, lower-case, or by its name. */
export type ProjectConfiguration = z.output<typeof projectBlock>;

const shortProject = projectName.transform((text): ProjectConfiguration => {
  const named = guidShape.test(text) ? { id: text.toLowerCase() } : { name: text };
  return { ...named, repositories: ['*'] };
});
const projects = z
  .array(z.union([projectBlock, shortProject], say('must be a name or an id in quotes, or a block with id or name')))
  .min(1, 'must name at least one project')
  .describe("The projects whose builds' images may go, each by its name, its id, or a block with repositories.");

/** One organization, in the long form. */
export const organizationSchema = z.strictObject({
  url: url.describe('The organization, https://dev.azure.com/contoso, or a collection of Azure DevOps Server.'),
  collectionId: guid
    .optional()
    .describe('The GUID that the organization must answer with; where it answers with another, nothing is done.'),
  signIn: organizationSignIn.optional(),
  buildTagPrefix: z
    .string()
    .max(64, 'must have at most 64 characters')
    .regex(
      /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*(?<![0-9]))?$/,
      'must be the beginning of a tag and not end in a digit: a1 and build 1 would be a and build 11',
    )
    .prefault('')
    .describe('What stands in front of the build id in the build tag. Needed where there are several organizations.'),
  projects,
  alsoOwn: z
    .array(tagPattern)
    .prefault([])
    .describe('Further tags that belong to a build: patterns with {buildId} or {buildNumber}.'),
});

/** The keys of the short form, for one organization. */
export const shortForm = {
  organization: url.describe('The one organization of Azure DevOps. Several, and more of one, stand in organizations.'),
  projects,
};

/** One organization of Azure DevOps Services, or one collection of Azure DevOps Server. */
export type OrganizationConfiguration = z.output<typeof organizationSchema>;
