/** A plain client of the emulated Azure Resource Manager, for the emulator's own tests. */

import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { type AcrEmulator, startAcr } from '../acr/acr.ts';
import { createClock } from '../settable-clock.ts';
import { createTls, type TlsMaterial } from '../tls.ts';
import { issueToken } from '../tokens.ts';
import { type ArmEmulator, startArm } from './arm.ts';
import type { ArmRegistry } from './world.ts';

/** One answer; `code` is that of its error. */
export interface ArmReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
  readonly code: string | undefined;
}

/** Two registries and who manages them. */
export interface ArmScene {
  readonly tls: TlsMaterial;
  readonly arm: ArmEmulator;
  readonly source: AcrEmulator;
  readonly target: AcrEmulator;
  readonly ids: { readonly source: ArmRegistry; readonly target: ArmRegistry };
  /** Sends a request as `me`, who is let in; `path` may be absolute. */
  send(method: string, path: string, body?: unknown, token?: string | null): Promise<ArmReply>;
  /** Asks for an import into the target; `source` is `repository:tag` or `repository@digest` of the source. */
  importImage(sourceImage: string, parameters: object): Promise<ArmReply>;
  /** Polls until it is over, and gives each status and the last reply. */
  follow(begun: ArmReply): Promise<{ readonly statuses: number[]; readonly last: ArmReply }>;
  close(): Promise<void>;
}

/** The identity that the scene asks as. */
export const me = '11111111-2222-4333-8444-555555555555';

/** A token of the emulated Entra. */
export function armToken(aud = 'https://management.azure.com', oid = me): string {
  return issueToken({ aud, oid, exp: Math.floor(Date.now() / 1000) + 3600 });
}

/** Starts everything. */
export async function startArmScene(): Promise<ArmScene> {
  const tls = await createTls();
  const clock = createClock();
  const [source, target, arm] = await Promise.all([
    startAcr({ tls, clock }),
    startAcr({ tls, clock }),
    startArm({ tls, clock }),
  ]);
  const ids = {
    source: arm.world.addRegistry({ name: 'ci001', acr: source }),
    target: arm.world.addRegistry({ name: 'Stage1', acr: target }),
  };
  const agent = new Agent({ ca: tls.ca, keepAlive: true });
  const send: ArmScene['send'] = (method, path, body, token = armToken()) =>
    new Promise((resolve, reject) => {
      const headers = { ...(token !== null && { authorization: `Bearer ${token}` }) };
      const outgoing = request(new URL(path, arm.url), { agent, method, headers }, response => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const json = JSON.parse(Buffer.concat(chunks).toString() || 'null') as { error?: { code?: string } } | null;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, json, code: json?.error?.code });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  return {
    tls,
    arm,
    source,
    target,
    ids,
    send,
    importImage: (sourceImage, parameters) =>
      send('POST', `${ids.target.resourceId}/importImage?api-version=2025-11-01`, {
        source: { resourceId: ids.source.resourceId, sourceImage },
        ...parameters,
      }),
    follow: async begun => {
      const statuses: number[] = [];
      for (let last = begun; ; ) {
        const address = String(last.headers['azure-asyncoperation'] ?? last.headers['location']);
        last = await send('GET', address);
        statuses.push(last.status);
        const isOver = last.status !== 202 && (last.json as { status?: string }).status !== 'Running';
        if (isOver || statuses.length === 20) return { statuses, last };
      }
    },
    close: async () => {
      agent.destroy();
      await Promise.all([arm.close(), source.close(), target.close()]);
    },
  };
}
