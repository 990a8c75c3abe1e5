import { changeTemplateFiles, makeOddities } from './site-oddities.ts';
import { installWebApplication, makeGitWorkingCopy, makeLiveDatabaseFiles, makeMaildir } from './site-software.ts';
import type { VirtualSite } from './virtual-server.ts';

/** Fills an account, through its mount, with what real ones hold. `webApplication` is a folder with an application's files. */
export async function fillSite(site: VirtualSite, webApplication: string): Promise<void> {
  changeTemplateFiles(site);
  await installWebApplication(site, webApplication);
  await makeMaildir(site);
  await makeGitWorkingCopy(site);
  makeLiveDatabaseFiles(site);
  await makeOddities(site);
}
