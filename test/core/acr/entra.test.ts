import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { EntraIdentity } from '../../../core/acr/entra.ts';
import { createAcrCredentials } from '../../../core/acr/sign-in.ts';
import { AppError, type ErrorCode } from '../../../core/base/errors.ts';
import { headManifest } from '../../../core/oci/manifests.ts';
import { openRepository } from '../../../core/oci/repository.ts';
import type { Application } from '../../emulators/entra/directory.ts';
import { type EntraEmulator, startEntra } from '../../emulators/entra/entra.ts';
import { createTls } from '../../emulators/tls.ts';
import { issueToken } from '../../emulators/tokens.ts';
import { type AcrWorld, fails, startAcrWorld } from '../oci/world.ts';
import type { EntraQuestion, EntraReply } from './entra-process.ts';

const audience = 'https://containerregistry.azure.net';
const federation = {
  issuer: 'https://vstoken.example/o',
  subject: 'sc://o/shop/acr',
  audience: 'api://AzureADTokenExchange',
};

describe('signing in with Microsoft Entra', () => {
  let world: AcrWorld;
  let entra: EntraEmulator;
  let application: Application;
  let folder: string;
  let child: ChildProcess;
  let lines: Interface;
  let keys = 0;
  before(async () => {
    const tls = await createTls();
    world = await startAcrWorld({ tls });
    entra = await startEntra({ tls, clock: world.acr.clock });
    application = entra.directory.addApplication({ secret: 'a good secret', federated: [federation] });
    folder = await mkdtemp(join(tmpdir(), 'image-lifecycle-entra-'));
    await writeFile(join(folder, 'ca.pem'), tls.ca);
    const file = fileURLToPath(new URL('entra-process.ts', import.meta.url));
    child = spawn(process.execPath, ['--import', 'tsx', file], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    for (const name of ['team/app', 'team/other']) world.acr.world.putImage(name, { tags: ['v1'] });
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
    entra.requests.length = 0;
    entra.outage = undefined;
  });
  after(async () => {
    child.stdin?.end();
    if (child.exitCode === null) await once(child, 'exit');
    await Promise.all([world.close(), entra.close(), rm(folder, { recursive: true })]);
  });

  const ask = async (question: EntraQuestion): Promise<EntraReply> => {
    child.stdin?.write(`${JSON.stringify(question)}\n`);
    const [line] = (await once(lines, 'line')) as [string];
    return JSON.parse(line) as EntraReply;
  };
  const who = () => ({ tenantId: application.tenantId, clientId: application.clientId, authority: entra.url });
  const secret = (text = 'a good secret'): EntraIdentity => ({ kind: 'secret', ...who(), secret: text });
  const federated = (): EntraIdentity => ({ kind: 'federated', ...who(), assertion: async () => '' });
  const assertionOf = (claims: object = {}): string => {
    const exp = Math.floor(entra.clock.now() / 1000) + 600;
    return issueToken({ iss: federation.issuer, sub: federation.subject, aud: federation.audience, exp, ...claims });
  };
  /** A registry whose Entra tokens come from that process. */
  const connect = (identity: EntraIdentity, assertion?: string) => {
    const key = String((keys += 1));
    const credentials = createAcrCredentials({
      host: world.acr.host,
      tenantId: application.tenantId,
      http: world.http,
      entraToken: async wanted => {
        const reply = await ask({ key, identity, audience: wanted, ...(assertion !== undefined && { assertion }) });
        if (reply.token !== undefined) return reply.token;
        throw new AppError(reply.message ?? '', { code: reply.code as ErrorCode });
      },
    });
    return world.connect(credentials);
  };
  const count = (operation: string): number => world.acr.requests.count({ operation });
  const grants = () => entra.requests.filter(({ path }) => path.endsWith('/token'));

  for (const [name, make, assertion] of [
    ['a secret', secret, undefined],
    ['workload identity federation', federated, assertionOf],
  ] as const) {
    it(`goes from ${name} to a token for each scope, and asks each once`, async () => {
      const registry = connect(make(), assertion?.());
      const repositories = ['team/app', 'team/other'].map(each => openRepository(registry, each, ['pull']));
      await Promise.all([...repositories, ...repositories].map(each => headManifest(each, 'v1')));
      for (const each of repositories) assert.ok(await headManifest(each, 'v1'));
      assert.deepEqual([grants().length, count('oauth2.exchange'), count('oauth2.token')], [1, 1, 2]);
      assert.equal(grants()[0]?.scope?.split(' ')[0], `${audience}/.default`);
      assert.equal(world.acr.requests.all({ operation: 'manifest.head' }).at(-1)?.identity, application.objectId);
    });
  }

  it('keeps a token of Entra, one for each audience', async () => {
    const question = { key: 'kept', identity: secret(), audience };
    const tokens = [await ask(question), await ask(question), await ask({ ...question, audience: 'https://other' })];
    assert.equal(tokens[0]?.token, tokens[1]?.token);
    assert.notEqual(tokens[0]?.token, tokens[2]?.token);
    assert.equal(grants().length, 2);
  });

  for (const [name, make, assertion, words] of [
    ['a wrong secret', () => secret('a bad secret'), undefined, /AADSTS7000215/],
    ['a connection that is not known', federated, () => assertionOf({ sub: 'sc://o/shop/other' }), /AADSTS700213/],
    ['an assertion that is over', federated, () => assertionOf({ exp: 1 }), /AADSTS700024/],
    ['a tenant that is not', () => ({ ...secret(), tenantId: '11111111-2222-3333-4444-555555555555' }), undefined, /./],
  ] as const) {
    it(`says why there is no token for ${name}, and no secret with it`, async () => {
      const given = assertion?.();
      const reply = await ask({
        key: name,
        identity: make(),
        audience,
        ...(given !== undefined && { assertion: given }),
      });
      assert.equal(reply.code, 'SIGN_IN_FAILED');
      assert.match(reply.message ?? '', /^Microsoft Entra gave no token for https:\/\/containerregistry\.azure\.net: /);
      assert.match(reply.message ?? '', words);
      assert.doesNotMatch(reply.message ?? '', /\n/);
      assert.doesNotMatch(reply.words ?? '', /a bad secret|a good secret|eyJ/);
    });
  }

  it('says in the registry’s words what Entra refused, and asks the registry for nothing', async () => {
    const app = openRepository(connect(secret('a bad secret')), 'team/app', ['pull']);
    assert.match((await fails(headManifest(app, 'v1'), 'SIGN_IN_FAILED')).message, /AADSTS7000215/);
    assert.deepEqual([count('oauth2.exchange'), count('oauth2.token')], [0, 0]);
  });

  it('is refused where the registry takes tokens of another audience', async () => {
    const { entraAudiences } = world.acr.behaviour;
    world.acr.behaviour.entraAudiences = ['https://management.azure.com'];
    const app = openRepository(connect(secret()), 'team/app', ['pull']);
    const thrown = await fails(headManifest(app, 'v1'), 'REGISTRY_DENIED');
    assert.match(thrown.message, /did not accept the Entra token \(status 401\)/);
    world.acr.behaviour.entraAudiences = entraAudiences;
  });
});
