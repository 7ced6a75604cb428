/**
 * A process that asks Microsoft Entra for tokens, a line for each: @azure/identity has a transport of its own, which
 * learns whom to trust by NODE_EXTRA_CA_CERTS at the start of a process and in no other way.
 */
import { createInterface } from 'node:readline';
import { createEntraTokenSource, type EntraIdentity, type EntraTokenSource } from '../../../core/acr/entra.ts';
import { AppError } from '../../../core/base/errors.ts';
import { everyWord } from '../oci/world.ts';

/** What is asked: requests of one `key` share a source. */
export interface EntraQuestion {
  readonly key: string;
  readonly identity: EntraIdentity;
  /** What the other side vouches with, for a federated identity. */
  readonly assertion?: string;
  readonly audience: string;
}

/** What came: a token, or an error and every word of it. */
export interface EntraReply {
  readonly token?: string;
  readonly code?: string;
  readonly message?: string;
  readonly words?: string;
}

const sources = new Map<string, EntraTokenSource>();

async function answer({ key, identity, assertion = '', audience }: EntraQuestion): Promise<EntraReply> {
  const whole = identity.kind === 'federated' ? { ...identity, assertion: async () => assertion } : identity;
  const source = sources.get(key) ?? createEntraTokenSource(whole);
  sources.set(key, source);
  try {
    return { token: await source(audience) };
  } catch (thrown) {
    if (!(thrown instanceof AppError)) return { message: String(thrown) };
    return { code: thrown.code, message: thrown.message, words: everyWord(thrown) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as EntraQuestion))}\n`);
}
