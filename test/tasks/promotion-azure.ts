/** Two registries of Azure, who manages them and who lets in, and PromoteImage between them. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildIdentity } from '../../core/lifecycle/build-record.ts';
import { type AcrEmulator, type AcrOptions, startAcr } from '../emulators/acr/acr.ts';
import { type ArmEmulator, startArm } from '../emulators/arm/arm.ts';
import { type EntraEmulator, startEntra } from '../emulators/entra/entra.ts';
import { createTls, type TlsMaterial } from '../emulators/tls.ts';
import type { TaskOutcome, TaskRun, TestEndpoint } from '../support/run-task.ts';
import { type Deployment, openDeployment, type RegistryAddress, recordImages } from './promotion.ts';
import { projectId } from './step.ts';

/** What goes with an image. */
export interface PutImage {
  /** The index; its children and the signature that refers to it are under it. */
  readonly digest: string;
  readonly children: readonly string[];
  readonly signature: string;
}

/** Everything over one certificate. */
export interface AzureBench extends Deployment {
  readonly tls: TlsMaterial;
  readonly ci: AcrEmulator;
  readonly stage: AcrEmulator;
  readonly arm: ArmEmulator;
  readonly entra: EntraEmulator;
  /** The secret of {@link principal}, and the object id by which roles name it. */
  readonly secret: string;
  readonly objectId: string;
  /** A connection of a service principal with a secret. */
  readonly principal: TestEndpoint;
  /** Puts a signed index into each repository of the build's registry, and records them as TagImage does. */
  record(build: Partial<BuildIdentity> & { readonly id: number }, ...repositories: string[]): Promise<PutImage[]>;
  /** Runs the step from the one to the other with the principal's connection; `inputs` come over that. */
  step(buildId: number, inputs?: Record<string, string>, run?: Partial<TaskRun>): Promise<TaskOutcome>;
  /** A connection of workload identity federation for a new application, under this id. */
  federate(id: string): TestEndpoint;
  /** Starts one more registry. */
  addRegistry(options: AcrOptions): Promise<AcrEmulator>;
}

/** The id of the principal's connection. */
export const azureConnection = randomUUID();
/** The tenant of every connection. */
export const tenantId = randomUUID();

/** Starts them. Whoever Entra knows may do everything, until roles are assigned. */
export async function openAzure(): Promise<AzureBench> {
  const tls = await createTls();
  const [deployment, ci, stage, arm, entra] = await Promise.all([
    openDeployment(tls),
    startAcr({ tls }),
    startAcr({ tls }),
    // An import has ended before it is asked about: whoever waits for it is tested elsewhere.
    startArm({ tls, behaviour: { polls: 0 } }),
    startEntra({ tls }),
  ]);
  arm.world.addRegistry({ name: 'contosoci', acr: ci });
  arm.world.addRegistry({ name: 'contosoprod', acr: stage });
  const caFile = join(deployment.agent.path, 'ca.pem');
  await writeFile(caFile, tls.ca);
  const secret = 'k~8Q/secret+with=signs%';
  const { clientId, objectId } = entra.directory.addApplication({ tenantId, secret });
  const more: AcrEmulator[] = [];
  const connect = (scheme: string, parameters: Record<string, string>): TestEndpoint => ({
    url: `${arm.url}/`,
    scheme,
    parameters: { tenantid: tenantId, ...parameters },
    data: {
      environment: 'AzureCloud',
      activeDirectoryAuthority: `${entra.url}/`,
      subscriptionId: arm.world.subscriptionId,
    },
  });
  const principal = connect('ServicePrincipal', {
    serviceprincipalid: clientId,
    serviceprincipalkey: secret,
    authenticationType: 'spnKey',
  });
  return {
    ...deployment,
    tls,
    ci,
    stage,
    arm,
    entra,
    secret,
    objectId,
    principal,
    record: async (wanted, ...repositories) => {
      const put = repositories.map(repository => putImage(ci, repository));
      const build = deployment.addBuild(wanted);
      const named = repositories.map((repository, at) => ({ repository, reference: put[at]?.digest ?? '' }));
      await recordImages(addressOf(ci), build, named);
      return put;
    },
    step: (buildId, inputs = {}, { endpoints, ...run } = {}) =>
      deployment.promote(buildId, {
        environment: { NODE_EXTRA_CA_CERTS: caFile },
        ...run,
        inputs: {
          azureSubscription: azureConnection,
          registry: stage.host,
          sourceRegistry: ci.host,
          ...inputs,
        },
        endpoints: { [azureConnection]: principal, ...endpoints },
      }),
    federate: id => {
      const { federation } = deployment.devOps.addServiceConnection({ projectId, id });
      const application = entra.directory.addApplication({ tenantId, federated: [federation] });
      return connect('WorkloadIdentityFederation', { serviceprincipalid: application.clientId });
    },
    addRegistry: async options => {
      const started = await startAcr({ tls, ...options });
      more.push(started);
      return started;
    },
    endJob: (step, status, run) =>
      deployment.endJob(step, status, { environment: { NODE_EXTRA_CA_CERTS: caFile }, ...run }),
    close: async () => {
      await Promise.all([deployment, ci, stage, arm, entra, ...more].map(each => each.close()));
    },
  };
}

/** An emulated registry for our own client, by its one account. */
export function addressOf({ host, ca }: AcrEmulator): RegistryAddress {
  return { address: host, ca, username: 'admin', password: 'admin-password' };
}

/** A Docker registry connection to an emulated registry, by its one account. */
export function adminOf({ host }: AcrEmulator): TestEndpoint {
  return {
    scheme: 'UsernamePassword',
    parameters: { registry: `https://${host}`, username: 'admin', password: 'admin-password' },
    data: { registrytype: 'Others' },
  };
}

function putImage({ world }: AcrEmulator, repository: string): PutImage {
  const children = ['amd64', 'arm64'].map(architecture => world.putImage(repository, { architecture }));
  const index = world.putIndex(repository, children);
  const artifactType = 'application/vnd.cncf.notary.signature';
  const signature = world.putArtifact(repository, { artifactType, subject: index, content: `signed ${repository}` });
  return { digest: index.digest, children: children.map(({ digest }) => digest), signature: signature.digest };
}
