import assert from 'node:assert/strict';
import { allActions } from './access.ts';
import { startAcr } from './acr.ts';
import { basic, withAcr } from './client.ts';
import { digestOf } from './content.ts';

const rights = [{ repository: '*', actions: allActions }];
const identities = ['admin', 'other'].map(name => ({ name, password: `${name}-password`, rights }));

describe('emulated registry: throttling', () => {
  it('refuses with 429 and a Retry-After that counts down to the end of the window', () =>
    withAcr(
      () => startAcr({ budgets: { windowMs: 60_000, Delete: 2 } }),
      async (acr, client) => {
        acr.world.putImage('app', { tags: ['1', '2', '3', '4'] });
        const untag = (tag: string) => client.send('DELETE', `/acr/v1/app/_tags/${tag}`);
        const first = await untag('1');
        assert.equal(first.headers['x-ms-ratelimit-remaining-calls-per-second'], (1 / 60).toFixed(6));
        assert.equal((await untag('2')).status, 202);
        const refused = await untag('3');
        assert.equal(refused.status, 429);
        assert.equal(refused.headers['retry-after'], '60');
        assert.equal(refused.code, 'TOOMANYREQUESTS');
        acr.clock.advance(45_000);
        assert.equal((await untag('3')).headers['retry-after'], '15');
        assert.deepEqual(Object.keys(acr.world.tags('app')), ['3', '4'], 'a refused request changes nothing');
        acr.clock.advance(15_000);
        assert.equal((await untag('3')).status, 202);
      },
    ));

  it('counts classes and identities apart', () =>
    withAcr(
      () => startAcr({ identities, budgets: { Read: 1, Write: 1, Delete: 1 } }),
      async (acr, client) => {
        acr.world.putImage('app', { tags: ['1'] });
        const other = basic('other', 'other-password');
        const get = (authorization?: string) =>
          client.send('GET', '/acr/v1/app', authorization === undefined ? {} : { authorization });
        assert.equal((await get()).status, 200);
        assert.equal((await get()).status, 429);
        assert.equal((await get(other)).status, 200);
        assert.equal((await client.send('POST', '/v2/app/blobs/uploads/')).status, 202);
        assert.equal((await client.send('DELETE', '/acr/v1/app/_tags/1')).status, 202);
        assert.equal((await client.send('DELETE', '/acr/v1/app/_tags/1')).status, 429);
        assert.equal(acr.requests.count({ status: 429 }), 2);
      },
    ));

  it('counts a listing of referrers as a read, too', () =>
    withAcr(
      () => startAcr({ budgets: { windowMs: 1000, Read: 2, ListReferrers: 1 } }),
      async (acr, client) => {
        acr.world.putImage('app', { tags: ['1'] });
        const referrers = () => client.send('GET', `/v2/app/referrers/${digestOf('x')}`);
        assert.equal((await referrers()).status, 200);
        assert.equal((await referrers()).status, 429, 'its own bucket is empty');
        const read = await client.send('GET', '/acr/v1/app');
        assert.equal(read.status, 429, 'and both took from the bucket of reads');
        assert.equal(read.headers['retry-after'], '1', 'never less than a second');
      },
    ));

  it('throttles signing in for the whole registry, and nothing when no budget is given', () =>
    withAcr(
      () => startAcr({ budgets: { OAuth: 1 } }),
      async (acr, client) => {
        const ask = () => client.send('GET', `/oauth2/token?service=${acr.host}`);
        const first = await ask();
        assert.equal(first.headers['x-ms-ratelimit-remaining-calls-per-second'], '0.000000');
        assert.equal((await ask()).status, 429);
        acr.setBudgets({});
        assert.equal((await ask()).headers['x-ms-ratelimit-remaining-calls-per-second'], '166.65');
        for (let count = 0; count < 50; count += 1) assert.equal((await client.send('GET', '/v2/')).status, 200);
      },
    ));
});
