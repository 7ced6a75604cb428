import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { makeImage } from '../support/images.ts';
import { assertNotForged, forged, forgeries } from './forging.ts';
import { assertFailed, assertSucceeded, type Bench, connectionTo, openBench } from './step.ts';

describe('TagImage and texts that forge commands', () => {
  let bench: Bench;
  before(async () => {
    bench = await openBench();
    await bench.push('forge/app:built', makeImage('forge'));
  });
  after(() => bench.close());

  for (const [number, text] of forgeries.entries()) {
    it(`is not fooled by ${JSON.stringify(text)}`, async () => {
      const variables = {
        'Build.BuildId': String(400 + number),
        'Build.SourceBranch': `refs/heads/${text}`,
        'Build.BuildNumber': text,
        'System.JobName': text,
        'Build.Repository.Name': text,
      };
      const succeeded = await bench.tag({ images: 'forge/app:built' }, { variables });
      assertSucceeded(succeeded);
      assertNotForged(succeeded);
      const wrong: [inputs: Record<string, string>, message: RegExp][] = [
        [{ images: `forge/app:${text}` }, /forge\/app|^The input images/],
        [{ images: 'forge/app:built', tags: text }, /^The input tags/],
        [{ images: 'forge/app:built', containerRegistry: text }, /^The input containerRegistry/],
        [{ imageFiles: text }, /^The input imageFiles/],
      ];
      // One after the other: a task keeps the key to its inputs in a file of the agent.
      for (const [inputs, message] of wrong) {
        const outcome = await bench.tag(inputs);
        assertFailed(outcome, message);
        assertNotForged(outcome);
      }
    });
  }

  it('is not fooled by what is in files and in their names', async () => {
    const folder = join(bench.agent.sources, 'forge');
    await mkdir(folder, { recursive: true });
    for (const [number, text] of forgeries.entries()) {
      await writeFile(
        join(folder, `${number}-${text.replaceAll('/', '')}.json`),
        JSON.stringify({ [text]: text, imageDigest: text, image: text }),
      );
    }
    for (const number of forgeries.keys()) {
      const outcome = await bench.tag({ imageFiles: `forge/${number}-*` });
      assertFailed(outcome, /imageFiles: the file/);
      assertNotForged(outcome);
    }
  });

  const answers: [what: string, answer: (response: ServerResponse, text: string) => void][] = [
    [
      'its error',
      (response, text) => response.writeHead(400).end(JSON.stringify({ errors: [{ code: text, message: text }] })),
    ],
    [
      'its challenge',
      (response, text) =>
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${header(text)}",scope="${header(text)}"` }).end(),
    ],
    [
      'its manifest',
      (response, text) =>
        response
          .writeHead(200, { 'content-type': header(`application/${text}`) })
          .end(JSON.stringify({ mediaType: text, [text]: 1, layers: text })),
    ],
    [
      'its redirect',
      (response, text) =>
        response.writeHead(307, { location: `https://${encodeURIComponent(text)}.example/${header(text)}` }).end(),
    ],
  ];
  for (const [what, answer] of answers) {
    it(`is not fooled by a registry in ${what}`, async function () {
      this.timeout(60_000);
      let text = '';
      const server: Server = createServer((_, response) => answer(response, text));
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
      try {
        const { port } = server.address() as { port: number };
        const endpoints = { 'registry-connection': connectionTo({ ...bench.registry, host: `localhost:${port}` }) };
        for (text of [forged, `\n${forged}`, forgeries[8]!, forgeries[11]!]) {
          const outcome = await bench.tag({ images: 'forge/app:built' }, { endpoints });
          assertFailed(outcome, /localhost/);
          assertNotForged(outcome);
        }
      } finally {
        server.closeAllConnections();
        server.close();
      }
    });
  }
});

/** As much of the text as HTTP lets through. */
function header(text: string): string {
  return text.replace(/[^\x20-\x7e\xa0-\xff]/g, ' ');
}
