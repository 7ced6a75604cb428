/**
 * Azure Resource Manager, as far as promotion needs it: requests with an Entra token, and refusals in its own words.
 * https://learn.microsoft.com/rest/api/azure/
 */

import { z } from 'zod';
import { AppError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import type { Http, HttpAnswer } from '../oci/http.ts';
import type { EntraTokenSource } from './entra.ts';

/** The version of `Microsoft.ContainerRegistry` that this project is written against. */
export const registryApiVersion = '2025-11-01';

/** A path below the root with its query, or an absolute URL of an earlier answer. */
export interface ArmRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The most bytes an answer may have; 1 MiB unless told. */
  readonly maxBytes?: number;
  /** Runs before a repetition; what it throws ends the repetitions. */
  readonly beforeAgain?: () => Promise<void>;
}

/** An answer of any status, or why there is none. */
export type ArmAnswer = { readonly answer: HttpAnswer } | { readonly failed: string };

/** One Azure Resource Manager and one identity. */
export interface Arm {
  readonly http: Http;
  /**
   * Sends a request. No token, no connection, an answer that is too large or an address of another origin, which nothing
   * is sent to, are values: whatever is asked of Azure Resource Manager can be done without it.
   */
  ask(request: ArmRequest): Promise<ArmAnswer>;
}

/** How to reach it. */
export interface ArmOptions {
  /** The cloud's own; the public one unless told. It is the audience of the token, too, as in Azure's SDKs. */
  readonly endpoint?: string | undefined;
  readonly entraToken: EntraTokenSource;
  readonly http: Http;
}

/** Makes a client; nothing is sent yet. Throws `INPUT_INVALID` for an endpoint that is not an `https` URL. */
export function createArm({ endpoint = 'https://management.azure.com', entraToken, http }: ArmOptions): Arm {
  const origin = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (origin?.protocol !== 'https:') {
    throw new AppError(`"${endpoint}" is not the address of an Azure Resource Manager; it begins with https://.`, {
      code: 'INPUT_INVALID',
    });
  }
  return {
    http,
    async ask({ path, body, ...rest }) {
      const url = new URL(path, origin);
      // Only its own origin may see the token.
      if (url.origin !== origin.origin) return { failed: `${origin.host} pointed to ${url.origin}, another origin` };
      try {
        const answer = await http.exchange({
          ...rest,
          url,
          authorization: `Bearer ${await entraToken(origin.origin)}`,
          headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        });
        return { answer };
      } catch (thrown) {
        if (thrown instanceof AppError && thrown.code !== 'DEFECT') return { failed: trimDot(thrown.message) };
        throw thrown;
      }
    },
  };
}

const errorBody = z.object({ error: z.object({ code: z.string(), message: z.string().optional() }) });

/** The code and the first line of a refusal, cut short: `AuthorizationFailed: The client …`; empty where it has none. */
export function readArmError(bytes: Uint8Array): string {
  const read = errorBody.safeParse(parseJson(bytes));
  if (!read.success) return '';
  const { code, message = '' } = read.data.error;
  const line = message.split(/\r?\n/, 1)[0] ?? '';
  return trimDot(`${code.slice(0, 60)}${line && `: ${line.slice(0, 600)}`}`);
}

/** A refusal for a sentence: `status 403 (AuthorizationFailed: …)`. */
export function describeRefusal({ status, bytes }: Pick<HttpAnswer, 'status' | 'bytes'>): string {
  const words = readArmError(bytes);
  return words ? `status ${status} (${words})` : `status ${status}`;
}

function trimDot(text: string): string {
  return text.trim().replace(/\.+$/, '');
}
