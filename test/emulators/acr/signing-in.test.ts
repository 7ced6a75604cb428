import assert from 'node:assert/strict';
import { readToken } from '../tokens.ts';
import { type AcrEmulator, type AcrOptions, startAcr } from './acr.ts';
import { basic, type Client, createClient, entraToken, type Reply, withAcr } from './client.ts';

const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
const minute = 60_000;

function post(
  client: Client,
  path: string,
  fields: Readonly<Record<string, string>> | [string, string][],
): Promise<Reply> {
  const body = new URLSearchParams(fields).toString();
  return client.send('POST', path, { authorization: null, headers: form, body });
}

async function refreshToken(acr: AcrEmulator, client: Client, claims = {}): Promise<string> {
  const fields = { grant_type: 'access_token', service: acr.host, access_token: entraToken(acr, claims) };
  const reply = await post(client, '/oauth2/exchange?api-version=2021-07-01', fields);
  assert.equal(reply.status, 200, reply.bytes.toString());
  return reply.json.refresh_token ?? '';
}

async function accessToken(acr: AcrEmulator, client: Client, scopes: readonly string[], claims = {}): Promise<string> {
  const fields: [string, string][] = [
    ['grant_type', 'refresh_token'],
    ['service', acr.host],
    ['refresh_token', await refreshToken(acr, client, claims)],
    ...scopes.map((scope): [string, string] => ['scope', scope]),
  ];
  const reply = await post(client, '/oauth2/token', fields);
  assert.equal(reply.status, 200, reply.bytes.toString());
  return `Bearer ${reply.json.access_token}`;
}

const start =
  (options: AcrOptions = {}) =>
  () =>
    startAcr(options);

describe('emulated registry: signing in', () => {
  it('challenges who says nothing, naming the scope that the path needs', () =>
    withAcr(start(), async (acr, client) => {
      const ping = await client.send('GET', '/v2/', { authorization: null });
      assert.equal(ping.status, 401);
      assert.equal(
        ping.headers['www-authenticate'],
        `Bearer realm="https://${acr.host}/oauth2/token",service="${acr.host}"`,
      );
      const cases = [
        ['GET', '/acr/v1/team%2Fapp/_tags', 'repository:team/app:metadata_read'],
        ['DELETE', '/acr/v1/team%2Fapp/_tags/1', 'repository:team/app:delete'],
        ['PATCH', '/acr/v1/team/app', 'repository:team/app:metadata_write'],
        ['GET', '/acr/v1/_catalog', 'registry:catalog:*'],
        ['PUT', '/v2/team/app/manifests/1', 'repository:team/app:pull,push'],
        ['GET', '/v2/team/app/tags/list', 'repository:team/app:metadata_read'],
        ['POST', '/v2/a/blobs/uploads/?mount=x&from=b', 'repository:a:pull,push repository:b:pull'],
      ] as const;
      for (const [method, path, scope] of cases) {
        const reply = await client.send(method, path, { authorization: null });
        assert.equal(reply.status, 401, path);
        assert.match(reply.headers['www-authenticate'] ?? '', new RegExp(`,scope="${scope.replaceAll('*', '\\*')}"$`));
        assert.equal(reply.code, 'UNAUTHORIZED');
      }
    }));

  it('exchanges an Entra token for a refresh token of three hours and that for an access token of 75 minutes', () =>
    withAcr(start(), async (acr, client) => {
      acr.world.putImage('team/app', { tags: ['1'] });
      const claims = readToken(await refreshToken(acr, client), acr.clock.now());
      assert.equal((claims?.['exp'] as number) - (claims?.['iat'] as number), 3 * 60 * 60);
      assert.equal(claims?.['aad_identity'], undefined);
      const authorization = await accessToken(acr, client, ['repository:team/app:metadata_read']);
      const list = () => client.send('GET', '/acr/v1/team/app/_tags', { authorization });
      assert.equal((await list()).status, 200);
      acr.clock.advance(74 * minute);
      assert.equal((await list()).status, 200);
      acr.clock.advance(2 * minute);
      const late = await list();
      assert.equal(late.status, 401);
      assert.match(late.headers['www-authenticate'] ?? '', /error="invalid_token"/);
    }));

  it('refuses forged, expired and foreign Entra tokens, and a service that is another registry', () =>
    withAcr(start(), async (acr, client) => {
      const exchange = (token: string, service = acr.host) =>
        post(client, '/oauth2/exchange', { grant_type: 'access_token', service, access_token: token });
      assert.equal((await exchange(`${entraToken(acr)}x`)).status, 401);
      assert.equal((await exchange(entraToken(acr, { exp: 1 }))).status, 401);
      assert.equal((await exchange(entraToken(acr, { aud: 'https://management.azure.com/' }))).status, 401);
      assert.equal((await exchange(entraToken(acr), 'other.azurecr.io')).status, 401);
      assert.equal((await exchange('')).status, 401);
    }));

  it('gives a token no more than was asked and no more than the identity has; a missing right is a 401', () =>
    withAcr(
      start({
        identities: [
          {
            name: 'cleaner',
            objectId: 'oid-1',
            rights: [{ repository: 'team/*', actions: ['delete', 'metadata_read'] }],
          },
          {
            name: 'reader',
            appId: 'app-1',
            password: 'secret',
            rights: [{ repository: 'team/app', actions: ['pull'] }],
          },
        ],
      }),
      async (acr, client) => {
        acr.world.putImage('team/app', { tags: ['1'] });
        const all = 'repository:team/app:pull,push,delete,metadata_read,metadata_write';
        const authorization = await accessToken(acr, client, [all], { oid: 'oid-1' });
        const send = (method: string, path: string) => client.send(method, path, { authorization });
        assert.equal((await send('GET', '/acr/v1/team/app/_tags')).status, 200);
        const pull = await send('GET', '/v2/team/app/manifests/1');
        assert.equal(pull.status, 401);
        assert.match(pull.headers['www-authenticate'] ?? '', /error="insufficient_scope"/);
        assert.deepEqual(pull.json.errors?.[0]?.detail, [{ Type: 'repository', Name: 'team/app', Action: 'pull' }]);
        assert.equal((await send('GET', '/acr/v1/other/_tags')).status, 401);
        assert.equal((await send('DELETE', '/acr/v1/team/app/_tags/1')).status, 202);
        assert.equal(acr.requests.all({ operation: 'tag.delete' })[0]?.identity, 'cleaner');

        const less = await accessToken(acr, client, ['repository:team/app:metadata_read'], { oid: 'oid-1' });
        assert.equal((await client.send('DELETE', '/acr/v1/team/app/_tags/1', { authorization: less })).status, 401);
        const unknown = {
          grant_type: 'access_token',
          service: acr.host,
          access_token: entraToken(acr, { oid: 'who' }),
        };
        assert.equal((await post(client, '/oauth2/exchange', unknown)).status, 401);
      },
    ));

  it('takes passwords: on every call, for a token by GET, and for a token by form', () =>
    withAcr(start(), async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      assert.equal((await client.send('GET', '/v2/', {})).status, 200);
      assert.equal((await client.send('GET', '/v2/', { authorization: basic('admin', 'wrong') })).status, 401);
      const byGet = await client.send('GET', `/oauth2/token?service=${acr.host}&scope=repository:app:metadata_read`);
      const authorization = `Bearer ${byGet.json.access_token}`;
      assert.equal((await client.send('GET', '/acr/v1/app/_tags', { authorization })).status, 200);
      const fields = {
        grant_type: 'password',
        username: 'admin',
        password: 'admin-password',
        scope: 'repository:app:pull',
      };
      assert.equal((await post(client, '/oauth2/token', fields)).status, 200);
      assert.equal((await post(client, '/oauth2/token', { ...fields, password: 'no' })).status, 401);
      const user = basic('00000000-0000-0000-0000-000000000000', await refreshToken(acr, client));
      assert.equal((await client.send('GET', '/acr/v1/app/_tags', { authorization: user })).status, 200);
    }));

  it('takes several scopes in one request, repeated or parted by spaces', () =>
    withAcr(start(), async (acr, client) => {
      acr.world.putImage('a', { tags: ['1'] });
      acr.world.putImage('b', { tags: ['1'] });
      for (const scopes of [['repository:a:pull', 'repository:b:pull'], ['repository:a:pull repository:b:pull']]) {
        const authorization = await accessToken(acr, client, scopes);
        for (const name of ['a', 'b']) {
          assert.equal((await client.send('GET', `/v2/${name}/manifests/1`, { authorization })).status, 200);
        }
      }
    }));

  it('refuses the anonymous, until that switch lets them pull', () =>
    withAcr(start(), async (acr, client) => {
      acr.world.putImage('app', { tags: ['1'] });
      const ask = () =>
        post(client, '/oauth2/token', {
          grant_type: 'password',
          service: acr.host,
          refresh_token: '',
          scope: 'repository:app:pull,push',
        });
      assert.equal((await ask()).status, 401);
      acr.behaviour.anonymousPull = true;
      const authorization = `Bearer ${(await ask()).json.access_token}`;
      assert.equal((await client.send('GET', '/v2/app/manifests/1', { authorization })).status, 200);
      const push = await client.send('POST', '/v2/app/blobs/uploads/', { authorization });
      assert.match(push.headers['www-authenticate'] ?? '', /insufficient_scope/);
    }));

  it('with ABAC marks the refresh token, ignores wildcards and wants a right of its own for the catalog', async () => {
    const rights = [{ repository: '*', actions: ['pull', 'metadata_read'] as const }];
    const identities = [
      { name: 'reader', objectId: 'r', rights },
      { name: 'lister', objectId: 'l', rights: [...rights, { repository: '*', actions: ['catalog'] as const }] },
    ];
    for (const abac of [false, true]) {
      await withAcr(start({ abac, identities }), async (acr, client) => {
        acr.world.putImage('app', { tags: ['1'] });
        const claims = readToken(await refreshToken(acr, client, { oid: 'r' }), acr.clock.now());
        assert.equal(claims?.['aad_identity'] !== undefined, abac);
        const wild = await accessToken(acr, client, ['repository:*:metadata_read'], { oid: 'r' });
        const listed = await client.send('GET', '/acr/v1/app/_tags', { authorization: wild });
        assert.equal(listed.status, abac ? 401 : 200);
        const catalog = async (oid: string) => {
          const authorization = await accessToken(acr, client, ['registry:catalog:*'], { oid });
          return (await client.send('GET', '/acr/v1/_catalog', { authorization })).status;
        };
        assert.equal(await catalog('r'), abac ? 401 : 200);
        assert.equal(await catalog('l'), 200);
      });
    }
  });

  it('keeps its tokens to itself: those of another registry are nothing here', async () => {
    const other = await startAcr();
    const client = createClient(other);
    const foreign = await accessToken(other, client, ['repository:app:pull']);
    client.close();
    await other.close();
    await withAcr(start(), async (_acr, mine) => {
      assert.equal((await mine.send('GET', '/v2/', { authorization: foreign })).status, 401);
    });
  });
});
