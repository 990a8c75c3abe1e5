/**
 * What `demo.ts` starts: `job.ts FOLDER PACKAGES` builds the server in FOLDER, does the main job, breaks a living WordPress and
 * brings it back, lives through a week, encrypts a repository and copies one, and exits with 1 when anything differs from what it should be.
 */
import { MariadbServer } from '../databases/mariadb-server.ts';
import { CopiedRepository } from './copied.ts';
import { buildDemo } from './demo-server.ts';
import { EncryptedRepository } from './encrypted.ts';
import { LiveWordPress } from './live-wordpress.ts';
import { MainJob } from './main-job.ts';
import { Proceedings } from './proceedings.ts';
import { say, showStep } from './screen.ts';
import { Week } from './week.ts';

const [folder, packages] = process.argv.slice(2) as [string, string];
const mariadb = await MariadbServer.start();
try {
  const build = () => buildDemo(folder, packages, mariadb);
  const server = await showStep('make three accounts of WordPress, mail and git on mounted overlays', build);
  const proceedings = new Proceedings(server);
  await new MainJob(proceedings).run();
  await new LiveWordPress(proceedings, server.sites[0]!).run();
  await new Week(proceedings, server.sites[2]!).run();
  await new EncryptedRepository(proceedings, server.sites[0]!).run();
  await new CopiedRepository(proceedings, server.sites[1]!).run();
  const { differences } = proceedings;
  say([differences === 0 ? 'VERDICT: everything came back exactly as it was.' : `VERDICT: ${differences} differences.`]);
  process.exitCode = differences === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
} finally {
  await mariadb.stop();
}
