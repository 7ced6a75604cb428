/** The clouds of the demo: three registries and the Azure Resource Manager that knows them, Entra, Azure DevOps. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createHttp, type Http } from '../../core/oci/http.ts';
import { importerActions } from '../../test/emulators/arm/access.ts';
import type { TestEndpoint } from '../../test/support/run-task.ts';
import type { Organization } from './azure-devops.ts';
import { control } from './control.ts';
import { type Server, type Stage, startServer } from './processes.ts';
import { type Hands, takeHands } from './registry.ts';

/** Where the story happens. */
export interface Cloud {
  readonly http: Http;
  /** Where builds push to, and the registries of two stages. */
  readonly registries: { readonly ci: Hands; readonly qa: Hands; readonly production: Hands };
  readonly organization: Organization;
  /** The pipeline's Azure Resource Manager connection, by a service principal and its key. */
  readonly connection: TestEndpoint;
  /** Moves the time of everything, in milliseconds. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
}

const names = { ci: 'contosoci', qa: 'contosoqa', production: 'contosoprod' } as const;

/** Starts the emulators, each a process of its own. */
export async function startCloud(stage: Stage): Promise<Cloud> {
  const tls = ['--tls-dir', stage.folder];
  const arm = await startServer(
    stage,
    ['emulators/arm.js', '--registries', Object.values(names).join(','), ...tls],
    'url',
  );
  // Those that come later trust the authority that the first made.
  const [entra, devOps] = await Promise.all([
    startServer(stage, ['emulators/entra.js', ...tls], 'url'),
    // One host for everything, as Azure DevOps Server has.
    startServer(stage, ['emulators/azure-devops.js', '--flavour', 'server'], 'url'),
  ]);
  const http = createHttp({ ca: await readFile(stage.caFile, 'utf8') });
  const registries = arm.ready['registries'] as Record<string, { host: string }>;
  const open = (name: string): Hands => takeHands(name, registries[name]?.host ?? '', http);
  const [ci, qa, production] = [open(names.ci), open(names.qa), open(names.production)];
  const clocks = [ci, qa, production].map(({ host }) => `https://${host}`).concat(urlOf(entra), urlOf(devOps));
  return {
    http,
    registries: { ci, qa, production },
    organization: devOps.ready as unknown as Organization,
    connection: await connect(http, arm, entra),
    pass: async ms => {
      await Promise.all(clocks.map(origin => control(http, origin, 'clock', { advanceMs: ms })));
    },
    stop: async () => {
      await http.close();
      await Promise.all([arm.stop(), entra.stop(), devOps.stop()]);
    },
  };
}

/** A service principal with one role, `Container Registry Data Importer and Data Reader`, on the registries. */
async function connect(http: Http, arm: Server, entra: Server): Promise<TestEndpoint> {
  const secret = `${randomUUID()}~`;
  const { tenantId, clientId, objectId } = await control(http, urlOf(entra), 'applications', { secret });
  const subscriptionId = String(arm.ready['subscriptionId']);
  const scope = `/subscriptions/${subscriptionId}/resourceGroups/registries`;
  await control(http, urlOf(arm), 'assignments', { objectId, scope, actions: importerActions });
  return {
    url: urlOf(arm),
    scheme: 'ServicePrincipal',
    parameters: {
      tenantid: String(tenantId),
      serviceprincipalid: String(clientId),
      serviceprincipalkey: secret,
      authenticationType: 'spnKey',
    },
    data: { environment: 'AzureCloud', activeDirectoryAuthority: `${urlOf(entra)}/`, subscriptionId },
  };
}

function urlOf(server: Server): string {
  return String(server.ready['url']);
}
