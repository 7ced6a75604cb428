/** The strings that move the emulated clouds. */
import type { Http } from '../../core/oci/http.ts';

/** Asks an emulator at `origin` by its control surface, or with a `body` tells it. Throws what it answers when it refuses. */
export async function control(
  http: Http,
  origin: string,
  path: string,
  body?: object,
): Promise<Record<string, unknown>> {
  const url = new URL(`/_emulator/${path}`, origin);
  const method = body ? 'POST' : 'GET';
  const headers = { 'content-type': 'application/json' };
  const sent = body && { body: JSON.stringify(body) };
  const { status, bytes } = await http.exchange({ method, url, headers, maxBytes: 64 * 1024 * 1024, ...sent });
  const answer = JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
  if (status !== 200) throw new Error(`The emulator at ${origin} refused ${path}: ${JSON.stringify(answer)}`);
  return answer;
}
