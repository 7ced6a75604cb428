/** Posts one notification to a subscriber, as the web hook consumer does. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** The inputs of the consumer: https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks */
export interface WebHookInputs {
  readonly url: string;
  readonly basicAuthUsername?: string | undefined;
  readonly basicAuthPassword?: string | undefined;
  /** `name:value` on each line. */
  readonly httpHeaders?: string | undefined;
  readonly acceptUntrustedCerts?: string | undefined;
}

/** What the subscriber said: a status, or why there is none. */
export interface PostResult {
  readonly status?: number;
  readonly error?: string;
  readonly body?: string;
}

/** Sends `payload` once. Never rejects. */
export function postNotification(inputs: WebHookInputs, payload: unknown, timeoutMs: number): Promise<PostResult> {
  const body = Buffer.from(JSON.stringify(payload));
  const url = new URL(inputs.url);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(body.length),
    'user-agent': 'VSServices/20.256.0 (ServiceHooks)',
  };
  for (const line of (inputs.httpHeaders ?? '').split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  if (inputs.basicAuthUsername || inputs.basicAuthPassword) {
    const pair = `${inputs.basicAuthUsername ?? ''}:${inputs.basicAuthPassword ?? ''}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  const rejectUnauthorized = inputs.acceptUntrustedCerts !== 'true';
  return new Promise(resolve => {
    const fail = (error: Error): void => resolve({ error: error.message });
    const request = send(url, { method: 'POST', headers, rejectUnauthorized, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString().slice(0, 4096) }),
      );
      response.on('error', fail);
    });
    request.setTimeout(timeoutMs, () => request.destroy(new Error('the subscriber did not answer in time')));
    request.on('error', fail);
    request.end(body);
  });
}
