/** How a client finds its way: connection data, resource areas, and the resource locations that azure-devops-node-api asks for. */
import type { Site } from './bodies.ts';
import { list, ok, type Reply, type Route } from './http.ts';
import type { World } from './world.ts';

/** Hosts of Azure DevOps Services: that of the organization, and that of its releases. A server is both. */
export type Host = 'organization' | 'releases' | 'both';

type Location = readonly [id: string, resource: string, template: string, options?: { preview: true }];

const areas: Readonly<Record<string, readonly Location[]>> = {
  build: [
    ['0cd358e1-9217-4d94-8269-1c1ee6f93dcf', 'Builds', '{project}/_apis/build/{resource}/{buildId}'],
    ['dbeaf647-6167-421a-bda9-c9327b25e2e6', 'Definitions', '{project}/_apis/build/{resource}/{definitionId}'],
    ['272051e4-9af1-45b5-ae22-8d960a5539d4', 'Leases', '{project}/_apis/build/retention/{resource}/{leaseId}'],
    ['3da19a6a-f088-45c4-83ce-2ad3a87be6c4', 'Leases', '{project}/_apis/build/builds/{buildId}/{resource}'],
  ],
  git: [
    ['225f7195-f9c7-4d14-ab28-a83f7ff77e1f', 'repositories', '{project}/_apis/{area}/{resource}/{repositoryId}'],
    ['2d874a60-a811-4f62-9c9f-963a6ea0a55b', 'refs', '{project}/_apis/{area}/repositories/{repositoryId}/{resource}'],
    [
      '6400dfb2-0bcb-462b-b992-5a57f8f1416c',
      'commitsBatch',
      '{project}/_apis/{area}/repositories/{repositoryId}/{resource}',
    ],
    [
      '5e8a8081-3851-4626-b677-9891cc04102e',
      'annotatedTags',
      '{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{objectId}',
    ],
    [
      '9946fd70-0d40-406e-b686-b4744cbbcc37',
      'pullRequests',
      '{project}/_apis/{area}/repositories/{repositoryId}/{resource}/{pullRequestId}',
    ],
  ],
  release: [
    ['a166fde7-27ad-408e-ba75-703c2cc9d500', 'releases', '{project}/_apis/{area}/{resource}/{releaseId}'],
    ['d8f96f24-8ea7-4cb6-baab-2df8fc515665', 'definitions', '{project}/_apis/{area}/{resource}/{definitionId}'],
  ],
  core: [['603fe2ac-9723-48b9-88ad-09305aa6c6e1', 'projects', '_apis/{resource}/{*projectId}']],
  location: [
    ['00d9565f-ed9c-4a06-9a50-00e7896ccab4', 'ConnectionData', '_apis/{resource}', { preview: true }],
    ['e81700f7-3be2-46de-8624-2eb35882fcaa', 'ResourceAreas', '_apis/{resource}/{areaId}', { preview: true }],
  ],
};

/** Areas that Azure DevOps Services tells the address of; a server tells none. */
const resourceAreas: ReadonlyArray<readonly [id: string, name: string]> = [
  ['965220d5-5bb9-42cf-8d67-9b146df2a5a4', 'build'],
  ['79134c72-4a58-4b42-976c-04e7115f32bf', 'core'],
  ['4e080c62-fa21-4fbc-8fef-2a10a2b38049', 'git'],
  ['efc2f575-36ef-48e9-b672-0c6fb4a48ac5', 'release'],
];

/** Where each is served. */
export interface Sites {
  readonly organization: Site;
  readonly releases: Site;
}

/** The routes of discovery at `host`; a server tells no resource areas. */
export function locationRoutes(world: World, sites: Sites, host: Host): Route[] {
  const flavour = host === 'both' ? 'server' : 'services';
  const read = { method: 'GET', right: 'read' } as const;
  return [
    { operation: 'locations', method: 'OPTIONS', pattern: '_apis', right: 'read', handle: () => locations(host) },
    {
      operation: 'locations',
      method: 'OPTIONS',
      pattern: '_apis/{area}',
      right: 'read',
      handle: call => locations(host, call.params['area']),
    },
    {
      ...read,
      operation: 'connectionData',
      pattern: '_apis/connectionData',
      preview: true,
      handle: () => connectionData(world, flavour),
    },
    {
      ...read,
      operation: 'resourceAreas',
      pattern: '_apis/ResourceAreas',
      preview: true,
      handle: () => {
        if (flavour === 'server') return ok({ count: 0, value: null });
        return list(
          resourceAreas.map(([id, name]) => {
            const { url } = name === 'release' ? sites.releases : sites.organization;
            return { id, name, locationUrl: `${url}/` };
          }),
        );
      },
    },
  ];
}

function locations(host: Host, area?: string): Reply {
  const isHere = (name: string): boolean => host === 'both' || (name === 'release') === (host === 'releases');
  const named = Object.entries(areas).filter(
    ([name]) => isHere(name) && (area === undefined || name === area.toLowerCase()),
  );
  return list(
    named.flatMap(([name, entries]) =>
      entries.map(([id, resourceName, routeTemplate, options]) => ({
        id,
        area: name,
        resourceName,
        routeTemplate,
        resourceVersion: 7,
        minVersion: '1.0',
        maxVersion: '7.2',
        releasedVersion: options?.preview === true ? '0.0' : '7.1',
      })),
    ),
  );
}

/** `instanceId` is the collection's id, which a job knows as `System.CollectionId`. */
function connectionData(world: World, flavour: 'services' | 'server'): Reply {
  const user = {
    id: '11111111-2222-4333-8444-555555555555',
    descriptor: 'Microsoft.IdentityModel.Claims.ClaimsIdentity;emulated',
    providerDisplayName: 'Emulated User',
    isActive: true,
    properties: {},
  };
  return ok({
    authenticatedUser: user,
    authorizedUser: user,
    instanceId: world.collectionId,
    deploymentId: '55555555-6666-4777-8888-999999999999',
    deploymentType: flavour === 'services' ? 'hosted' : 'onPremises',
    locationServiceData: {
      serviceOwner: '00025394-6065-48ca-87d9-7f5672854ef7',
      defaultAccessMappingMoniker: 'PublicAccessMapping',
    },
  });
}
