/** A task of one sentence, for a test: reads the builds and who promotes, and asks Azure DevOps. Its last line is JSON. */
import { connectAzureDevOps, connectReleases } from '../../../tasks/agent/azure-devops.ts';
import { guardOutput, writeLine } from '../../../tasks/agent/output.ts';
import { readPromoter } from '../../../tasks/agent/promoter.ts';
import { type BuildChoice, readSourceBuilds } from '../../../tasks/agent/source-build.ts';

guardOutput();
/** What `read` gives, or its error. */
async function settle(read: () => unknown): Promise<unknown> {
  try {
    return await read();
  } catch (thrown) {
    const { code, message } = thrown as { code?: string; message: string };
    return { code, message };
  }
}

const choice = JSON.parse(process.argv[2] ?? '{}') as BuildChoice;
const what = 'the projects';
writeLine(
  JSON.stringify({
    builds: await settle(() => readSourceBuilds(choice)),
    promoter: await settle(readPromoter),
    projects: await settle(() => connectAzureDevOps().ask({ what, path: ['_apis', 'projects'] })),
    releases: await settle(() => connectReleases().url),
  }),
);
process.exit();
