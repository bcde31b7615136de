/**
 * As much of busybox's wget as a healthcheck uses: `wget -q -O FILE URL`. The real poet image is alpine and has it
 * (spacemesh.md §7.4); this one is made of what this machine has.
 */
import { writeFileSync } from 'node:fs';
import process from 'node:process';

async function main(): Promise<number> {
  const [quiet, output, file, url, ...more] = process.argv.slice(2);
  if (quiet !== '-q' || output !== '-O' || file === undefined || url === undefined || more.length > 0) {
    console.error('wget: this stand-in knows only: wget -q -O FILE URL');
    return 1;
  }
  try {
    const response = await fetch(url);
    if (!response.ok) {
      console.error(`wget: server returned error: HTTP/1.1 ${response.status}`);
      return 1;
    }
    writeFileSync(file, Buffer.from(await response.arrayBuffer()));
    return 0;
  } catch {
    console.error(`wget: can't connect to remote host (${new URL(url).host})`);
    return 1;
  }
}

void main().then((code) => {
  process.exitCode = code;
});
