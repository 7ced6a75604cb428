/** The part of the configuration that says what registries there are: `registries`. */
import { z } from 'zod';
import { isRegistryHost } from '../../oci/reference.ts';
import { usageSchema } from '../keep-policy/policy-schema.ts';
import { flag, givenName, loopback, loopbackPattern, repositoryPatterns } from './configuration-values.ts';
import { registrySignIn } from './sign-in.ts';

/** The host of a registry's address. */
export function hostOf(address: string): string {
  return address.replace(/^http:\/\//, '');
}

function isRegistryAddress(text: string): boolean {
  const host = hostOf(text);
  return isRegistryHost(host) && (host === text || loopback.has(host.replace(/:\d+$/, '')));
}

/** One registry. */
export const registrySchema = z
  .strictObject({
    url: z
      .string()
      .toLowerCase()
      .refine(isRegistryAddress, "must be a registry's host name, such as contoso.azurecr.io, without https://")
      .meta({ pattern: `^(?:http://(?:${loopbackPattern})(?=:|$))?[^\\s/@]+$` })
      .describe('The host name, with a port where it needs one: contoso.azurecr.io.'),
    name: givenName.optional().describe('What plans and reports call it. Left out: its host name.'),
    repositories: repositoryPatterns.describe(
      'The repositories that are looked at; * stands for any characters. In all others nothing goes.',
    ),
    onBuildDeleted: flag(['delete', 'keep'])
      .optional()
      .describe(
        'What becomes of the images of a build that is gone. Left out: what the build pushed is deleted, what a promotion brought is kept.',
      ),
    usage: usageSchema.optional().describe('That clusters report into this registry what they run.'),
    signIn: registrySignIn.optional(),
  })
  .transform(({ name, ...rest }) => ({ ...rest, name: name ?? hostOf(rest.url) }));

/** One registry to look after. */
export type RegistryConfiguration = z.output<typeof registrySchema>;
