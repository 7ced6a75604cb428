import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  makeFolder,
  packFolder,
  writeDockerArchive,
  writeOldDockerArchive,
  writeShape,
  writeTar,
} from '../support/archives.ts';
import { makeImage, makeIndex, makeSignature, makeTar, writeLayout } from '../support/images.ts';
import type { TaskOutcome, TaskRun } from '../support/run-task.ts';
import { digestTag, makeCosignature } from '../support/shapes.ts';
import { skopeo } from '../support/skopeo.ts';
import { assertFailed, assertKept, assertSucceeded, type Bench, openBench } from './step.ts';

describe('TagImage and images on the agent', () => {
  let bench: Bench;
  let folder: string;
  let number = 600;
  before(async () => {
    [bench, folder] = await Promise.all([openBench(), makeFolder()]);
  });
  after(() => Promise.all([bench.close(), rm(folder, { recursive: true, force: true })]));

  function tag(localImages: string, run: Partial<TaskRun> = {}, inputs: Record<string, string> = {}) {
    number += 1;
    return bench.tag({ localImages, ...inputs }, { variables: { 'Build.BuildId': String(number) }, ...run });
  }

  const temporary = () => readdir(join(bench.agent.path, 'temp'), { recursive: true });
  const source = (repository: string) => [
    '--src-tls-verify=false',
    `--src-creds=${bench.registry.username}:${bench.registry.password}`,
    `docker://${bench.registry.host}/${repository}:${number}`,
  ];
  const config = (repository: string) =>
    skopeo('inspect', '--config', '--raw', ...source(repository).map(flag => flag.replace(/^--src-/, '--')));

  /** A folder with a `docker` that runs this script, in which `$3` is the file to write and `$4` the image. */
  async function standIn(script: string): Promise<Partial<TaskRun>> {
    const tools = join(folder, `tools-${number}`);
    await mkdir(tools, { recursive: true });
    await writeFile(join(tools, 'docker'), `#!/bin/sh\n[ "$1 $2" = "save --output" ] || exit 64\n${script}\n`);
    await chmod(join(tools, 'docker'), 0o755);
    return {
      node: process.execPath,
      path: `${tools}:/usr/bin:/bin`,
      variables: { 'Build.BuildId': String(number + 1) },
    };
  }

  /** The step fails with `message`, and nothing is changed in the registry or written on the agent. */
  async function assertRefused(line: string, message: RegExp): Promise<TaskOutcome> {
    const [registry, files] = [await bench.registry.fingerprint(), await temporary()];
    const outcome = await tag(line);
    assertFailed(outcome, message);
    assert.match(outcome.message, /^The input localImages/);
    assert.ok(outcome.message.length < 1000, outcome.message);
    assert.equal(await bench.registry.fingerprint(), registry);
    assert.deepEqual(await temporary(), files);
    return outcome;
  }

  it('pushes an OCI layout with its platforms and its signatures, and treats it as any image', async () => {
    const index = makeIndex('layout');
    const [signature, cosignature] = [makeSignature(index), makeCosignature(index, 'a key')];
    await writeShape(join(bench.agent.sources, 'out/web'), {
      root: index,
      referrers: [signature],
      digestTags: { [digestTag(index, '.sig')]: cosignature },
    });
    const outcome = await tag('local/web=out/web');
    assertSucceeded(outcome);
    assert.equal(await bench.digestOf(`local/web:${number}`), index.digest);
    assert.equal(await bench.digestOf(`local/web:${digestTag(index, '.sig')}`), cosignature.digest);
    // This registry has no referrers API, so clients look under the tag.
    const listed = await skopeo(
      'inspect',
      '--raw',
      ...source('local/web')
        .slice(0, 2)
        .map(flag => flag.replace(/^--src-/, '--')),
      `docker://${bench.registry.host}/local/web:${digestTag(index)}`,
    );
    assert.deepEqual(
      (JSON.parse(listed) as { manifests: { digest: string }[] }).manifests.map(each => each.digest),
      [signature.digest],
    );
    const copy = join(folder, 'copy');
    await skopeo('copy', '--quiet', '--all', ...source('local/web'), `oci:${copy}:copy`);
    for (const each of [index, ...index.parts, ...index.parts.flatMap(part => part.parts)]) {
      const bytes = await readFile(join(copy, 'blobs/sha256', each.digest.slice('sha256:'.length)));
      assert.ok(bytes.equals(each.bytes), each.digest);
    }
    assert.equal(outcome.variables['digest'], index.digest);
    const reference = `${bench.registry.host}/local/web@${index.digest}`;
    assert.deepEqual(
      (await bench.imagesJson()).images.map(image => image.reference),
      [reference],
    );
    const summary = outcome.commands.find(command => command.name === 'task.uploadsummary')?.data ?? '';
    assert.match(await readFile(summary, 'utf8'), /\| `local\/web` \|/);
    const [record] = await bench.records(number);
    assert.deepEqual(
      record?.images.map(({ repository, digest, tags }) => ({ repository, digest, tags })),
      [{ repository: 'local/web', digest: index.digest, tags: [String(number)] }],
    );
    assert.match(outcome.output, new RegExp(`^Pushed ${reference} from .*/out/web\\.$`, 'm'));
  });

  it('pushes an OCI layout in a tar as it is', async () => {
    const image = makeImage('tar');
    const path = join(folder, 'oci.tar');
    await packFolder(await writeLayout(join(folder, `layout-${number}`), { 'web:1': image }), path);
    assertSucceeded(await tag(`local/tar=${path}`));
    assert.equal(await bench.digestOf(`local/tar:${number}`), image.digest);
  });

  it('pushes what Docker saves since its version 25 by the layout that it is as well', async () => {
    const image = makeImage('both');
    const layout = await writeLayout(join(folder, `layout-${number}`), { image });
    const [config = image, ...layers] = image.parts.map(({ digest }) => `blobs/${digest.replace(':', '/')}`);
    await writeFile(
      join(layout, 'manifest.json'),
      JSON.stringify([{ Config: config, RepoTags: ['web:1'], Layers: layers }]),
    );
    const path = await packFolder(layout, join(folder, 'both.tar'));
    assertSucceeded(await tag(`local/both=${path}`));
    assert.equal(await bench.digestOf(`local/both:${number}`), image.digest);
  });

  it('pushes what docker save wrote: config byte for byte, layers as they are', async () => {
    const path = await writeDockerArchive(join(folder, 'docker.tar'), makeImage('docker'), 'team/web:1');
    assertSucceeded(await tag(`local/docker=${path}`));
    const pushed = await config('local/docker');
    assert.equal(pushed, await skopeo('inspect', '--config', '--raw', `docker-archive:${path}`));
    const copy = join(folder, 'docker-copy');
    await skopeo('copy', '--quiet', ...source('local/docker'), `dir:${copy}`);
    const manifest = JSON.parse(await readFile(join(copy, 'manifest.json'), 'utf8')) as {
      layers: { digest: string }[];
    };
    const { rootfs } = JSON.parse(pushed) as { rootfs: { diff_ids: string[] } };
    assert.deepEqual(
      manifest.layers.map(each => each.digest),
      rootfs.diff_ids,
    );
  });

  it('takes one of several by its name or its digest, and asks where neither is said', async () => {
    const [one, two] = [makeImage('one'), makeImage('two')];
    await writeLayout(join(bench.agent.sources, 'two'), { 'web:1': one, 'web:2': two });
    const before = await bench.registry.fingerprint();
    assertFailed(
      await tag('local/one=two'),
      new RegExp(`input localImages: .*/two has 2 images: name one of them\\. It has "web:1" \\(${one.digest}\\)`),
    );
    assert.equal(await bench.registry.fingerprint(), before);
    assertSucceeded(await tag(`local/one=two#web:1\nlocal/two=two@${two.digest}`));
    assert.equal(await bench.digestOf(`local/one:${number}`), one.digest);
    assert.equal(await bench.digestOf(`local/two:${number}`), two.digest);
  });

  it('pushes beside images that are in the registry, all under one record', async () => {
    const [there, here] = [makeImage('there'), makeImage('here')];
    await bench.push('local/there:built', there);
    await writeLayout(join(bench.agent.sources, 'here'), { here });
    assertSucceeded(await tag(`${bench.registry.host}/local/here=here`, {}, { images: 'local/there:built' }));
    const [record, ...more] = await bench.records(number);
    assert.equal(more.length, 0);
    assert.deepEqual(record?.images.map(each => each.digest).sort(), [there.digest, here.digest].sort());
    assert.equal(await bench.digestOf(`local/here:${number}`), here.digest);
  });

  describe('that Docker has', () => {
    it('pushes what Docker saves, and leaves nothing of it on the agent', async () => {
      const archive = await writeDockerArchive(join(folder, 'saved.tar'), makeImage('saved'), 'web:1');
      const run = await standIn(`[ "$4" = web:1 ] && /bin/cp ${archive} "$3" && env > ${folder}/environment`);
      const outcome = await tag('local/saved=docker:web:1', run);
      assertSucceeded(outcome);
      assert.match(outcome.output, new RegExp(`^Pushed .*/local/saved@sha256:\\w+ from docker:web:1\\.$`, 'm'));
      assert.equal(
        await config('local/saved'),
        await skopeo('inspect', '--config', '--raw', `docker-archive:${archive}`),
      );
      assert.deepEqual(
        (await temporary()).filter(name => /\.tar/.test(name)),
        [],
      );
      const environment = await readFile(join(folder, 'environment'), 'utf8');
      assert.ok(!environment.includes(bench.registry.password ?? '?'), 'Docker is told no secret of this task');
    });

    it('says what Docker said, cut short and in words alone, and leaves nothing behind', async () => {
      const noise = `i=0; while [ $i -lt 300 ]; do echo "a long complaint $i" >&2; i=$((i+1)); done`;
      const script = `echo half > "$3"; ${noise}\nprintf '%s\\n' 'No such image: web:2 ##vso[task.complete result=Succeeded;]' >&2; exit 1`;
      const before = await bench.registry.fingerprint();
      const outcome = await tag('local/saved=docker:web:2', await standIn(script));
      assertFailed(outcome, /input localImages: docker:web:2: docker save ended with 1: .*No such image: web:2/);
      assert.doesNotMatch(outcome.message, /complaint 200/);
      assert.deepEqual(
        outcome.commands.filter(each => each.properties['result'] === 'Succeeded'),
        [],
      );
      assert.deepEqual(
        (await temporary()).filter(name => /\.tar/.test(name)),
        [],
      );
      assert.equal(await bench.registry.fingerprint(), before);
    });

    it('says so where Docker saved no archive, or where there is no Docker', async () => {
      const nothing = await tag('local/saved=docker:web:3', await standIn('exit 0'));
      assertFailed(nothing, /input localImages: docker:web:3 cannot be read/);
      const run = { ...(await standIn('')), path: folder };
      assertFailed(await tag('local/saved=docker:web:3', run), /docker:web:3: there is no docker on this agent's PATH/);
    });

    it('lets no name be an option of Docker', async () => {
      const run = await standIn(`echo called > ${folder}/called`);
      for (const name of ['--help', '-o/tmp/x', '$(id)', 'a b', '']) {
        assertFailed(
          await tag(`local/saved=docker:${name}`, run),
          /input localImages: .*(?:is not the name|names the variable)/,
        );
      }
      assert.ok(!(await readdir(folder)).includes('called'));
    });
  });

  describe('that are not what they should be', () => {
    const image = makeImage('hostile');
    for (const [line, message] of [
      ['local/a', /"local\/a" is not of the form repository=path/],
      ['=path', /is not of the form repository=path/],
      ['local/a=', /is not of the form repository=path/],
      ['local/a:1=path', /"local\/a:1" must be a repository alone/],
      [`local/a@sha256:${'0'.repeat(64)}=path`, /must be a repository alone/],
      ['Local/A=path', /"Local\/A" is not a repository/],
      ['other.azurecr.io/a=path', /in the registry other\.azurecr\.io, but this step signs in to localhost/],
      ['local/a=$(Nowhere)/x', /names the variable "Nowhere", which is not set/],
      ['local/a=out@sha256:00', /"sha256:00" is not a digest/],
      ['local/a=not-there', /\/not-there cannot be read/],
      [`local/a=${'x'.repeat(5000)}`, /a line has 5008 characters/],
    ] as const) {
      it(`refuses the line ${line.slice(0, 40)}`, async () => {
        await assertRefused(line, message);
      });
    }

    it('refuses a folder and a file that hold no image', async () => {
      await mkdir(join(bench.agent.sources, 'empty'), { recursive: true });
      await assertRefused('local/a=empty', /\/empty is neither an OCI layout nor an archive of docker save/);
      await writeFile(join(bench.agent.sources, 'text'), 'text. '.repeat(500));
      await assertRefused('local/a=text', /\/text is no tar archive, or is damaged/);
      execFileSync('mkfifo', [join(bench.agent.sources, 'pipe')]);
      await assertRefused('local/a=pipe', /\/pipe is neither a file nor a folder/);
    });

    it('refuses an archive with an entry that leads out, naming it', async () => {
      const layout = await writeLayout(join(folder, `layout-${number}`), { image });
      const names = (await readdir(layout, { recursive: true, withFileTypes: true })).filter(each => each.isFile());
      const good = await Promise.all(
        names.map(async ({ parentPath, name }) => ({
          name: join(parentPath, name).slice(layout.length + 1),
          content: await readFile(join(parentPath, name)),
        })),
      );
      const path = join(folder, 'hostile.tar');
      await writeTar(path, [...good, { name: '../../escaped', content: 'x' }]);
      await assertRefused(`local/a=${path}`, /the entry "\.\.\/\.\.\/escaped" leads out of the archive/);
      await writeTar(path, [...good, { name: 'blobs/x', type: 'symlink', linkname: '/etc/passwd' }]);
      await assertRefused(`local/a=${path}`, /the entry "blobs\/x" is a link out of the archive/);
      await writeTar(path, [...good, { name: 'dev', type: 'block-device' }]);
      await assertRefused(`local/a=${path}`, /the entry "dev" is neither a file, a folder nor a link/);
      await writeTar(path, [...good, { name: 'x ##vso[task.complete result=Succeeded;]', type: 'fifo' }]);
      const outcome = await assertRefused(`local/a=${path}`, /the entry "x # #vso\[task/);
      assert.equal(outcome.commands.filter(each => each.name === 'task.complete').length, 1);
      await writeTar(path, good);
      assertSucceeded(await tag(`local/a=${path}`));
    });

    it('refuses a layout whose links lead out, without showing what is there', async () => {
      const layout = await writeLayout(join(bench.agent.sources, 'linked'), { image });
      await writeFile(join(folder, 'secret.json'), '{"password":"hunter2!"');
      await rm(join(layout, 'index.json'));
      await symlink(join(folder, 'secret.json'), join(layout, 'index.json'));
      const outcome = await assertRefused('local/a=linked', /\/linked: index\.json leads out of the folder/);
      assertKept(outcome, 'hunter2!');
    });

    it('tags nothing where a blob has other bytes than its digest', async () => {
      const layout = await writeLayout(join(bench.agent.sources, 'wrong'), { image });
      const [, layer = image] = image.parts;
      await writeFile(
        join(layout, 'blobs/sha256', layer.digest.slice('sha256:'.length)),
        Buffer.alloc(layer.bytes.byteLength),
      );
      const outcome = await tag('local/wrong=wrong');
      assertFailed(outcome, new RegExp(layer.digest));
      assert.equal(await bench.digestOf(`local/wrong:${number}`), undefined);
      assert.equal((await bench.records(number)).length, 1, 'the record names what is not there, which is harmless');
    });

    it('refuses an archive of Docker whose layers are not those of its config', async () => {
      const path = join(folder, 'mismatch.tar');
      const [a, b] = ['a', 'b'].map(name => makeTar([[name, name]])) as [Buffer, Buffer];
      await writeOldDockerArchive(path, [{ names: ['web:1'], layers: [a] }]);
      const bytes = await readFile(path);
      bytes.set(b, bytes.indexOf(a));
      await writeFile(path, bytes);
      await assertRefused(`local/a=${path}`, /the layer \w+\/layer\.tar has the bytes of sha256:/);
    });
  });
});
