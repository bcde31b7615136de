import { type OpenClPlatform, parseClinfo } from './clinfo.ts';

/**
 * What decides inside a container whether OpenCL finds a card: entries for drivers, the driver's library, nodes that this
 * user may open, and filters. Only bash, ls and cat, which are in postcli's image.
 */
export const LOOK_INSIDE = `
shopt -s nullglob
for entry in /etc/OpenCL/vendors/*; do echo "icd $entry $(cat "$entry" 2>/dev/null)"; done
for folder in /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/lib/wsl/lib /usr/local/nvidia/lib64; do
  if [ -e "$folder/libnvidia-opencl.so.1" ]; then echo "library $folder/libnvidia-opencl.so.1"; fi
done
for node in /dev/dri/renderD* /dev/kfd /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm; do
  if [ ! -e "$node" ]; then continue; fi
  if [ -r "$node" ] && [ -w "$node" ]; then echo "open $node"; else echo "closed $node"; fi
done
for name in POST_OCL_PLATFORMS_BLACKLIST POST_OCL_DEVICES_BLACKLIST NVIDIA_DRIVER_CAPABILITIES; do
  if [ -n "\${!name}" ]; then echo "env $name=\${!name}"; fi
done
if type -P clinfo >/dev/null; then echo clinfo; clinfo -l 2>/dev/null; fi
exit 0
`;

/** What a look inside a container found. */
export interface InsideFacts {
  /** Entries for OpenCL drivers: file name and the library that it names. */
  readonly icds: readonly { readonly file: string; readonly library: string }[];
  /** NVIDIA's OpenCL library is there: the container toolkit brings it with the capability `compute`. */
  readonly nvidiaLibrary: boolean;
  readonly open: readonly string[];
  /** Nodes that are there and may not be opened by the job's user. */
  readonly closed: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly platforms?: readonly OpenClPlatform[];
}

/** Reads what LOOK_INSIDE printed. */
export function parseInside(stdout: string): InsideFacts {
  const lines = stdout.split('\n');
  const rest = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const clinfo = lines.indexOf('clinfo');
  const variables = rest('env').map((text): readonly [string, string] => {
    const equals = text.indexOf('=');
    return [text.slice(0, equals), text.slice(equals + 1)];
  });
  return {
    icds: rest('icd').map((text) => {
      const [path = '', ...library] = text.split(' ');
      return { file: path.split('/').at(-1) ?? path, library: library.join(' ').trim() };
    }),
    nvidiaLibrary: rest('library').length > 0,
    open: rest('open'),
    closed: rest('closed'),
    environment: Object.fromEntries(variables),
    ...(clinfo < 0 ? {} : { platforms: parseClinfo(lines.slice(clinfo + 1).join('\n')) }),
  };
}
