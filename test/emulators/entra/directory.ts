/** What the emulated Entra knows: tenants, applications, their secrets and whom they trust. */
import { randomUUID } from 'node:crypto';

/** Whose assertions are taken for this application: all three must match to the letter. */
export interface FederatedCredential {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

/** An application with its service principal. */
export interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  /** `oid` of its tokens: the id that role assignments name. */
  readonly objectId: string;
  readonly secrets: Set<string>;
  readonly expiredSecrets: Set<string>;
  readonly federated: FederatedCredential[];
}

/** What a new application is told; ids are made up when absent. */
export interface NewApplication {
  readonly tenantId?: string;
  readonly clientId?: string;
  readonly objectId?: string;
  readonly secret?: string;
  readonly federated?: readonly FederatedCredential[];
}

/** The directory. Its applications may be changed directly. */
export interface Directory {
  readonly applications: Map<string, Application>;
  addApplication(application?: NewApplication): Application;
  hasTenant(tenantId: string): boolean;
}

/** Makes an empty directory. */
export function createDirectory(): Directory {
  const applications = new Map<string, Application>();
  return {
    applications,
    addApplication: ({ tenantId = randomUUID(), clientId = randomUUID(), objectId = randomUUID(), ...rest } = {}) => {
      const made: Application = {
        tenantId,
        clientId,
        objectId,
        secrets: new Set(rest.secret === undefined ? [] : [rest.secret]),
        expiredSecrets: new Set(),
        federated: [...(rest.federated ?? [])],
      };
      applications.set(clientId.toLowerCase(), made);
      return made;
    },
    hasTenant: tenantId =>
      [...applications.values()].some(one => one.tenantId.toLowerCase() === tenantId.toLowerCase()),
  };
}
