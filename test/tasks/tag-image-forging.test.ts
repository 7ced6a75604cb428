import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { makeImage } from '../support/images.ts';
import type { TaskOutcome } from '../support/run-task.ts';
import { assertFailed, assertSucceeded, type Bench, connectionTo, openBench } from './step.ts';

const forged = '##vso[task.setvariable variable=pwned]1';
/** Ways to bring a command into a line of its own, or past a filter that looks for it to the letter. */
const forgeries = [
  forged,
  `\n${forged}`,
  `\r${forged}`,
  `\r\n${forged}`,
  `]${forged}`,
  `;result=Succeeded;]${forged}`,
  `%0A${forged}`,
  `\u2028${forged}\u0085${forged}`,
  '##\u00advso[task.setvariable variable=pwned]1',
  '#\u200b#vso[task.setvariable variable=pwned]1',
  '##VSO[task.setvariable variable=pwned]1',
  '##[error]pwned\n##[group]pwned',
];

/** Nothing but what the task itself says is a command, and no line holds more than one marker. */
function assertNotForged(outcome: TaskOutcome): void {
  const known = /^task\.(?:debug|setsecret|setprogress|setvariable|logissue|issue|uploadsummary|complete)$/;
  for (const command of outcome.commands) assert.match(command.name, known, outcome.output);
  assert.equal(outcome.variables['pwned'], undefined, outcome.output);
  assert.equal(outcome.commands.filter(command => command.name === 'task.complete').length, 1, outcome.output);
  for (const line of outcome.output.split(/[\r\n\u2028\u2029\u0085]/)) {
    // What a comparison by culture would see.
    const seen = line.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
    assert.ok(seen.search(/##(?:vso)?\[/i) <= 0 && !/##(?:vso)?\[/i.test(seen.slice(1)), line);
    assert.ok(!/^##(?!vso\[)/i.test(seen), line);
  }
}

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
      const failed = await Promise.all([
        bench.tag({ images: `forge/app:${text}` }),
        bench.tag({ images: 'forge/app:built', tags: text }),
        bench.tag({ images: 'forge/app:built', containerRegistry: text }),
        bench.tag({ imageFiles: text }),
      ]);
      for (const outcome of failed) {
        assert.equal(outcome.result, 'Failed', outcome.output);
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
