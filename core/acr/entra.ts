/** Tokens of Microsoft Entra, by `@azure/identity`, which is loaded when the first token is asked for. */
import type { TokenCredential } from '@azure/identity';
import { AppError, errorMessage } from '../base/errors.ts';

/** Who asks Entra, and how it proves that. `authority` is the cloud's sign-in URL; Azure's public one unless told. */
export type EntraIdentity =
  | {
      readonly kind: 'secret';
      readonly tenantId: string;
      readonly clientId: string;
      readonly secret: string;
      readonly authority?: string | undefined;
    }
  | {
      readonly kind: 'certificate';
      readonly tenantId: string;
      readonly clientId: string;
      readonly pem: string;
      readonly authority?: string | undefined;
    }
  /** Workload identity federation: `assertion` gives a fresh token of the other side, here of Azure DevOps. */
  | {
      readonly kind: 'federated';
      readonly tenantId: string;
      readonly clientId: string;
      readonly assertion: () => Promise<string>;
      readonly authority?: string | undefined;
    }
  | { readonly kind: 'managedIdentity'; readonly clientId?: string | undefined }
  /** Environment, workload identity of Kubernetes, managed identity, developer tools: the first that works. */
  | { readonly kind: 'default'; readonly clientId?: string | undefined; readonly authority?: string | undefined };

/** How to reach Entra. */
export interface EntraOptions {
  /** Every certificate authority to trust, as PEM, in place of Node's own. */
  readonly ca?: readonly string[] | undefined;
}

/** Gives an access token for an audience such as `https://containerregistry.azure.net`. Throws `SIGN_IN_FAILED`. */
export type EntraTokenSource = (audience: string) => Promise<string>;

const knownAuthorities = [
  'https://login.microsoftonline.com',
  'https://login.chinacloudapi.cn',
  'https://login.microsoftonline.us',
];

/** Makes a token source; nothing is sent before the first token is asked for, and tokens are kept by the library. */
export function createEntraTokenSource(identity: EntraIdentity, options: EntraOptions = {}): EntraTokenSource {
  let credential: Promise<TokenCredential> | undefined;
  return async audience => {
    try {
      credential ??= createCredential(identity, options);
      const token = await (await credential).getToken(`${audience}/.default`);
      if (token) return token.token;
    } catch (cause) {
      throw new AppError(`Microsoft Entra gave no token for ${audience}: ${firstLine(errorMessage(cause))}`, {
        code: 'SIGN_IN_FAILED',
        cause,
      });
    }
    throw new AppError(`Microsoft Entra gave no token for ${audience}.`, { code: 'SIGN_IN_FAILED' });
  };
}

async function createCredential(identity: EntraIdentity, options: EntraOptions): Promise<TokenCredential> {
  const azure = await import('@azure/identity');
  const tls = options.ca && { tlsOptions: { ca: [...options.ca] } };
  switch (identity.kind) {
    case 'secret':
      return new azure.ClientSecretCredential(identity.tenantId, identity.clientId, identity.secret, {
        ...cloud(identity.authority),
        ...tls,
      });
    case 'certificate':
      return new azure.ClientCertificateCredential(
        identity.tenantId,
        identity.clientId,
        { certificate: identity.pem },
        { ...cloud(identity.authority), ...tls },
      );
    case 'federated':
      return new azure.ClientAssertionCredential(identity.tenantId, identity.clientId, identity.assertion, {
        ...cloud(identity.authority),
        ...tls,
      });
    case 'managedIdentity':
      return identity.clientId
        ? new azure.ManagedIdentityCredential({ clientId: identity.clientId })
        : new azure.ManagedIdentityCredential();
    case 'default':
      return new azure.DefaultAzureCredential({
        ...cloud(identity.authority),
        ...tls,
        ...(identity.clientId && {
          managedIdentityClientId: identity.clientId,
          workloadIdentityClientId: identity.clientId,
        }),
      });
  }
}

/** Instance discovery asks the public cloud, which a private one (Azure Stack, a test) has no way to. */
function cloud(authority: string | undefined): { authorityHost?: string; disableInstanceDiscovery?: boolean } {
  if (!authority) return {};
  const host = authority.replace(/\/+$/, '');
  return { authorityHost: host, disableInstanceDiscovery: !knownAuthorities.includes(host) };
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? '';
}
