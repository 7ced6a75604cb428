/** Secrets: told to the agent before they are used, so that it masks them in every log. */

import { quietly } from './output.ts';
import { tl } from './task-lib.ts';

/** Gives the secret back, once the agent knows it as it is and as it stands in a URL. */
export function keepSecret(secret: string): string {
  // The agent masks line by line. Of several lines, "-----BEGIN CERTIFICATE-----" and a short rest hide nothing.
  const lines = secret.split(/\r?\n/);
  const kept = lines.length > 1 ? lines.filter(line => line.length >= 8 && !line.startsWith('-----')) : lines;
  for (const form of new Set([...kept, encodeURIComponent(secret)])) tl.setSecret(form);
  return secret;
}

/** A secret variable such as `Agent.ProxyPassword`; undefined where it is not set. */
export function readSecretVariable(name: string): string | undefined {
  const value = quietly(() => tl.getVariable(name));
  return value ? keepSecret(value) : undefined;
}
