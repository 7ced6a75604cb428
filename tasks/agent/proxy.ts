/** The agent's proxy and certificate authority. https://learn.microsoft.com/azure/devops/pipelines/agents/proxy */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import type { AzureDevOpsProxy } from '../../core/azure-devops/http.ts';
import { inputError } from '../../core/base/errors.ts';
import { quietly } from './output.ts';
import { keepSecret } from './secrets.ts';
import { tl } from './task-lib.ts';

const limits = { connections: 32, headersTimeout: 60_000, bodyTimeout: 60_000 };

/**
 * The way out of this machine, as the agent is configured. Also sets the environment that the Azure SDK reads its
 * proxy from. This machine itself, and what the agent's list excludes, are reached directly.
 */
export function createDispatcher(): Dispatcher {
  const ca = readAuthorities();
  const connect = ca && { ca: [...ca] };
  const direct = new Agent({ ...limits, ...(connect && { connect }) });
  const proxy = readProxy();
  if (!proxy) return direct;
  // Neither library knows the agent's patterns, so the SDK gets plain host names alone.
  process.env['HTTPS_PROXY'] = proxy.url.toString();
  process.env['HTTP_PROXY'] = proxy.url.toString();
  process.env['NO_PROXY'] = ['localhost', '127.0.0.1', ...proxy.bypass.map(plainHost)].filter(Boolean).join(',');
  const proxied = new ProxyAgent({ ...limits, uri: proxy.url.toString(), ...(connect && { requestTls: connect }) });
  return direct.compose(
    dispatch => (options, handler) =>
      isBypassed(String(options.origin), proxy.bypass)
        ? dispatch(options, handler)
        : proxied.dispatch(options, handler),
  );
}

/** The proxy on the way to `url`; undefined where it is reached directly. Its password is a secret that the agent masks. */
export function readProxyTo(url: string): AzureDevOpsProxy | undefined {
  const proxy = readProxy();
  if (!proxy || isBypassed(new URL(url).origin, proxy.bypass)) return undefined;
  const { origin, username, password } = proxy.url;
  if (!username) return { url: origin };
  return { url: origin, username: decodeURIComponent(username), password: decodeURIComponent(password) };
}

interface Proxy {
  readonly url: URL;
  /** Regular expressions on URLs. */
  readonly bypass: readonly string[];
}

function readProxy(): Proxy | undefined {
  const read = quietly(() => tl.getHttpProxyConfiguration());
  if (!read?.proxyUrl) return undefined;
  if (!URL.canParse(read.proxyUrl)) throw inputError('The agent is configured with a proxy that is not a URL.');
  const url = new URL(read.proxyUrl);
  if (read.proxyUsername) {
    url.username = encodeURIComponent(read.proxyUsername);
    url.password = encodeURIComponent(keepSecret(read.proxyPassword ?? ''));
  }
  return { url, bypass: read.proxyBypassHosts ?? [] };
}

function isBypassed(origin: string, patterns: readonly string[]): boolean {
  if (['localhost', '127.0.0.1'].includes(new URL(origin).hostname)) return true;
  return patterns.some(pattern => {
    try {
      return new RegExp(pattern, 'i').test(origin);
    } catch {
      return false;
    }
  });
}

function plainHost(pattern: string): string {
  const host = pattern.replaceAll('\\', '').replace(/^\*|[$^]/g, '');
  return /^[A-Za-z0-9.-]+$/.test(host) ? host : '';
}

/** What to trust, as PEM: Node's own authorities and the agent's; undefined where the agent names none. */
export function readAuthorities(): readonly string[] | undefined {
  const file = tl.getHttpCertConfiguration()?.caFile;
  if (!file) return undefined;
  try {
    return [...rootCertificates, readFileSync(file, 'utf8')];
  } catch (cause) {
    throw inputError(`The agent's certificate authority file "${file}" cannot be read.`, cause);
  }
}
