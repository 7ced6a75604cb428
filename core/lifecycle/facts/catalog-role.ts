/** Which role it takes to list the repositories of a registry. */
import { AppError, hasCode } from '../../base/errors.ts';
import type { Registry } from '../../oci/registry.ts';

/**
 * What to throw where a registry could not be listed: where the right to list is what the identity lacks, an error that says
 * so and names the role, and `otherwise`, what else would do, such as `; or name every repository`; all else as it was thrown.
 */
export function nameCatalogRole({ host }: Pick<Registry, 'host'>, thrown: unknown, otherwise = ''): unknown {
  // A sign-in that was refused says nothing of this right.
  if (!hasCode(thrown, 'REGISTRY_DENIED') || thrown.missing === undefined) return thrown;
  // https://learn.microsoft.com/azure/container-registry/container-registry-rbac-abac-repository-permissions
  const role = 'Give the identity AcrPull, or with ABAC "Container Registry Repository Catalog Lister"';
  return new AppError(
    `${host} does not let its repositories be listed: no permission for "${thrown.missing}". ${role}${otherwise}.`,
    { code: 'REGISTRY_DENIED', missing: thrown.missing, cause: thrown },
  );
}
