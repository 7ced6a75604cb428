import assert from 'node:assert/strict';
import { nextLink, readPages } from '../../../core/oci/paging.ts';
import { listTags, listTagsWithPrefix } from '../../../core/oci/tags.ts';
import { type Loopback, sendJson, startLoopback } from './loopback.ts';
import { type AcrWorld, type Client, createClient, fails, openOn, startAcrWorld } from './world.ts';

describe('tags on an Azure Container Registry', () => {
  let world: AcrWorld;
  const names = Array.from({ length: 2500 }, (_, at) => `v${String(at).padStart(4, '0')}`);
  before(async () => {
    world = await startAcrWorld();
    const { digest } = world.acr.world.putImage('team/app');
    // In another order than that of their names.
    const shuffled = names.toSorted((left, right) => (left.split('').reverse() < right.split('').reverse() ? -1 : 1));
    world.acr.world.seedTags('team/app', digest, [...shuffled, '47.a', '471.a', '47', '47.b', '47-c']);
  });
  beforeEach(() => {
    world.acr.faults.clear();
    world.acr.requests.clear();
  });
  after(() => world.close());
  const pages = (): number => world.acr.requests.count({ operation: 'oci.tags.list', status: 200 });

  it('are all listed, a thousand at a time', async () => {
    const listed = await listTags(world.open('team/app'));
    assert.deepEqual(listed.slice(5), names);
    assert.equal(pages(), 3);
  });

  it('of a repository that is not are none', async () => {
    assert.deepEqual(await listTags(world.open('no/such')), []);
    assert.deepEqual(await listTagsWithPrefix(world.open('no/such'), '47.'), []);
  });

  it('with a prefix are found in one page, however many others there are', async () => {
    assert.deepEqual(await listTagsWithPrefix(world.open('team/app'), '47.'), ['47.a', '47.b']);
    assert.equal(pages(), 1);
    assert.equal((await listTagsWithPrefix(world.open('team/app'), 'v1')).length, 1000);
  });

  it('with a prefix are found in a registry that orders by time', async () => {
    world.acr.faults.add({ operation: 'oci.tags.list' }, { kind: 'unsorted' });
    assert.deepEqual((await listTagsWithPrefix(world.open('team/app'), '47.')).sort(), ['47.a', '47.b']);
    assert.deepEqual((await listTagsWithPrefix(world.open('team/app'), 'v249')).length, 10);
  });

  it('are an error where a page begins again, or a later one is missing', async () => {
    world.acr.faults.add({ operation: 'oci.tags.list' }, { kind: 'repeated' });
    assert.match((await fails(listTags(world.open('team/app')), 'REGISTRY_UNEXPECTED')).message, /lead back/);
    world.acr.faults.clear();
    world.acr.faults.add({ operation: 'oci.tags.list', path: /last=/, nth: 2 }, { kind: 'status', status: 404 });
    assert.match((await fails(listTags(world.open('team/app')), 'REGISTRY_UNEXPECTED')).message, /answered 404/);
  });
});

const page = (...tags: string[]) => ({ name: 'team/app', tags });

const to = (last: string) => ({
  body: page(`v${last}`),
  link: `</v2/team/app/tags/list?last=${last}>; rel="next"`,
});

describe('lists of a registry that answers as it likes', () => {
  let server: Loopback;
  let client: Client;
  let pages: { body: unknown; link?: string; status?: number }[] = [];
  before(async () => {
    client = createClient();
    server = await startLoopback(({ index }, response) => {
      const { body, link, status } = pages[index] ?? { body: '', status: 418 };
      sendJson(response, body, link === undefined ? {} : { link }, status);
    });
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  after(async () => {
    await client.http.close();
    await server.close();
  });
  const list = () => listTags(openOn(server, client));

  it('have null, nothing or an empty list for no tags', async () => {
    for (const body of [{ name: 'team/app', tags: null }, { name: 'team/app' }, page()]) {
      pages = [{ body }];
      server.requests.length = 0;
      assert.deepEqual(await list(), []);
    }
  });

  const strange: Record<string, unknown> = {
    'of another repository': { name: 'team/other', tags: ['v1'] },
    'of nobody': { tags: ['v1'] },
    'of objects': { name: 'team/app', tags: [{ name: 'v1' }] },
    'that is an object': { name: 'team/app', tags: {} },
    'that is a list': ['v1'],
    'that is an error with a good face': { errors: [{ code: 'UNAUTHORIZED' }] },
    'that is null': 'null',
    'that is a page of a proxy': '<html>Sign in</html>',
    'that is cut': '{"name":"team/app","tags":["v1"',
    'that is nothing': '',
  };
  for (const [name, body] of Object.entries(strange)) {
    it(`are an error ${name}, on the first page and on the second`, async () => {
      pages = [{ body }];
      await fails(list(), 'REGISTRY_UNEXPECTED');
      server.requests.length = 0;
      pages = [{ body: page('v0'), link: '</v2/team/app/tags/list?last=v0>; rel="next"' }, { body }];
      await fails(list(), 'REGISTRY_UNEXPECTED');
    });
  }

  it('go on wherever a Link leads within the registry', async () => {
    const links = [
      '</v2/team/app/tags/list?last=a&n=1>; rel="next"',
      `<${server.url}/v2/team/app/tags/list?last=b>; rel=next`,
      '<?last=c>; rel="next"',
      '<list?last=d>; title="a, b; c"; rel="last next"',
      '</elsewhere?last=e>; rel="prev", </v2/team/app/tags/list?last=f,g>; REL="Next"',
    ];
    pages = [
      ...links.map((link, at) => ({ body: page(`v${at}`), link })),
      { body: page('v9'), link: '</x>; rel="prev"' },
    ];
    assert.deepEqual(await list(), ['v0', 'v1', 'v2', 'v3', 'v4', 'v9']);
    const lasts = server.requests.map(({ path }) => new URL(path, server.url));
    assert.deepEqual(
      lasts.slice(1).map(url => url.searchParams.get('last')),
      ['a', 'b', 'c', 'd', 'f,g'],
    );
    assert.deepEqual([...new Set(lasts.map(url => url.pathname))], ['/v2/team/app/tags/list']);
  });

  it('do not go on where a Link leads in a circle', async () => {
    pages = [to('a'), to('b'), to('a'), to('b')];
    await fails(list(), 'REGISTRY_UNEXPECTED');
    assert.equal(server.requests.length, 3);
  });

  it('do not go on where a Link leads to another origin', async () => {
    const trap = await startLoopback((_, response) => sendJson(response, page('evil')));
    for (const target of [`${trap.url}/v2/team/app/tags/list`, `//${trap.host}/v2/team/app/tags/list`, 'file:///x']) {
      server.requests.length = 0;
      pages = [{ body: page('v0'), link: `<${target}>; rel="next"` }];
      await fails(list(), 'REGISTRY_UNEXPECTED');
    }
    assert.equal(trap.requests.length, 0);
    await trap.close();
  });

  it('are cut short by nothing but an error', async () => {
    const first = { body: page('v0'), link: '</v2/team/app/tags/list?last=v0>; rel="next"' };
    for (const status of [204, 206, 302, 400, 404, 410]) {
      server.requests.length = 0;
      pages = [first, { body: page('v1'), status }];
      assert.match((await fails(list(), 'REGISTRY_UNEXPECTED')).message, new RegExp(`answered ${status}`));
    }
  });

  it('are read as far as they are asked for', async () => {
    pages = [{ body: 1, link: '</2>; rel="next"' }];
    for await (const { body } of readPages(openOn(server, client), '/1')) {
      assert.equal(body, 1);
      break;
    }
    assert.equal(server.requests.length, 1);
  });

  it('that are sorted by chance no longer than the prefix does not hide what comes first', async () => {
    // `last` is ignored: the page begins before the prefix, so its order proves nothing.
    pages = [{ body: page('a', '47.x') }, { body: page('a', '47.x', '47.a') }];
    assert.deepEqual(await listTagsWithPrefix(openOn(server, client), '47.'), ['47.x', '47.a']);
    server.requests.length = 0;
    pages = [{ body: page() }, { body: page('47.z', '47.a') }];
    assert.deepEqual(await listTagsWithPrefix(openOn(server, client), '47.'), ['47.z', '47.a']);
    server.requests.length = 0;
    pages = [{ body: page('47.a', '48'), link: '</v2/x>; rel="next"' }];
    assert.deepEqual(await listTagsWithPrefix(openOn(server, client), '47.'), ['47.a']);
  });
});

const next = (header: string | undefined) => nextLink(header, '/v2/a/tags/list?n=1');

describe('the header Link', () => {
  it('names the next page or none', () => {
    for (const header of [
      undefined,
      '',
      '</x>',
      '</x>; rel="prev"',
      '</x>; rel="nextest"',
      '/x; rel="next"',
      '</x>; title="rel=next"',
    ])
      assert.equal(next(header), undefined, header);
    assert.equal(next('</x>;rel=next'), '/x');
    assert.equal(
      next('</acr/v1/a%2Fb/_manifests?last=x&n=1&orderby=>; rel="next"'),
      '/acr/v1/a%2Fb/_manifests?last=x&n=1&orderby=',
    );
    assert.equal(next('<https://other.io/x>; rel="next"'), 'https://other.io/x');
    assert.equal(next('<?last=y>; rel="next"'), '/v2/a/tags/list?last=y');
  });

  it('is read in no time, as long as a header may be', function () {
    this.timeout(2000);
    for (const part of ['<', '<>;', '<x>; a="', '; ', '<a>; rel="', ' ']) next(part.repeat(16_384 / part.length));
  });
});
