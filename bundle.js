/**
 * Makes `dist/`, the program as users get it: few files instead of some 500, because a job that cron starts every few
 * minutes spends more time loading modules than working. Drivers stay packages of their own: one is compiled for the machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'rolldown';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

await build({
  input: { main: 'src/cli/main.ts', 'reader-thread': 'src/import/reader-thread.ts' },
  platform: 'node',
  transform: { target: 'node20' },
  external: [...Object.keys(dependencies), 'pg-native'],
  plugins: [thirdPartyNotices()],
  output: {
    dir: 'dist',
    cleanDir: true,
    chunkFileNames: '[name].js',
  },
});

/** The licences of what is bundled ask to be passed on with it. */
function thirdPartyNotices() {
  return {
    name: 'third-party-notices',
    generateBundle(_options, bundle) {
      const packages = new Map();
      for (const output of Object.values(bundle)) {
        for (const id of output.type === 'chunk' ? output.moduleIds : []) {
          const folder = packageFolder(id);
          if (folder !== null) packages.set(folder, noticeOf(folder));
        }
      }
      const notices = [...new Set(packages.values())].sort();
      this.emitFile({
        type: 'asset',
        fileName: 'THIRD-PARTY-NOTICES.txt',
        source: notices.join(`\n${'-'.repeat(80)}\n\n`),
      });
    },
  };
}

function packageFolder(id) {
  return /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id.replace(/^\0/, ''))?.[0] ?? null;
}

function noticeOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (file === undefined && license === undefined) throw new Error(`${name} in ${dirname(folder)} tells no licence`);
  const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version} (${license ?? 'see below'})\n\n${text}\n`;
}
