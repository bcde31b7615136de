import { flagValue } from '../compose/who-serves.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { AdoptedIdentity } from './adopt-project.ts';
import type { FoundProgram } from './found.ts';

export interface MoveFacts {
  readonly directory: string;
  /** Of smesh.yaml. */
  readonly projectName: string;
  readonly node: FoundProgram;
  readonly identities: readonly AdoptedIdentity[];
  /** What starts and stops provers by itself: containers, files. */
  readonly schedulers: readonly string[];
  /** Hand-written files in the folder that plain Compose would read or `generate` refuse to replace. */
  readonly inTheWay: readonly string[];
  /** Compose files that were adopted: whoever starts them again starts everybody a second time. */
  readonly formerFiles: readonly string[];
}

export interface MoveOver {
  /** Become containers of this project under the same name: `up` recreates each in its own safe moment. */
  readonly recreated: readonly string[];
  /** Must be gone before `up` starts anything: else two have one key, or one directory. */
  readonly first: readonly FoundProgram[];
  /** For people, in order. */
  readonly lines: readonly string[];
}

/**
 * How a farm gets from its present containers to those of this project without an identity in two places. `up` refuses
 * while anything of `first` is there (spacemesh.md §9.1; design §8).
 */
export function planMove(facts: MoveFacts): MoveOver {
  const { projectName, node, identities } = facts;
  const takesOver = (program: FoundProgram, service: string) =>
    program.container?.project === projectName && program.container.service === service;
  const pairs = [
    { program: node, service: 'node' },
    ...identities.map(({ program, name }) => ({ program, service: name })),
  ];
  const recreated = pairs
    .filter(({ program, service }) => takesOver(program, service))
    .map(({ service }) => service);
  const first = pairs
    .filter(({ program, service }) => !takesOver(program, service))
    .map(({ program }) => program);
  return { recreated, first, lines: numbered(steps(facts, recreated, first)) };
}

function steps(
  facts: MoveFacts,
  recreated: readonly string[],
  first: readonly FoundProgram[],
): readonly (readonly string[])[] {
  const { directory, projectName, schedulers, inTheWay } = facts;
  const own = `${directory.replace(/\/[^/]*$/, '')}/${projectName}-smesh`;
  // The node last: until then it fetches what is finished.
  const inOrder = [
    ...first.filter((program) => program !== facts.node),
    ...first.filter((program) => program === facts.node),
  ];
  const containers = inOrder.flatMap(({ container }) => container?.name ?? []);
  const processes = first.filter(({ container, image }) => container === undefined && image === undefined);
  const absent = first.filter(({ container, image }) => container === undefined && image !== undefined);
  return [
    ...(inTheWay.length === 0
      ? []
      : [
          [
            `${inTheWay.join(', ')} ${inTheWay.length === 1 ? 'is yours and is' : 'are yours and are'} not overwritten. Go on in a folder of its own; every path in smesh.yaml is whole:`,
            `mkdir -p ${quoteForShell(own)} && mv ${quoteForShell(`${directory}/smesh.yaml`)} ${quoteForShell(own)}/ && cd ${quoteForShell(own)}`,
          ],
        ]),
    [
      'Read smesh.yaml. Then write the files that follow from it; that starts and stops nothing:',
      'smesh-compose generate',
    ],
    ...schedulers.map((name) => [
      `Turn off ${name} for good: it would start and stop provers beside this project (smesh-compose run does that here).`,
    ]),
    ...(containers.length === 0
      ? []
      : [
          [
            'Outside of the cycle gap, when every post-service says "Idle" (a proof in progress would be lost), take these away. Their data and keys stay where they are. Until then up refuses, because an identity in two places is lost for ever:',
            ...askStatus(first),
            `docker stop ${containers.map(quoteForShell).join(' ')} && docker rm ${containers.map(quoteForShell).join(' ')}`,
          ],
        ]),
    ...(processes.length === 0
      ? []
      : [
          [
            `Outside of the cycle gap, when they are idle, end these processes, and whatever starts them again: ${processes.map(({ name }) => name).join(', ')}. Until then up refuses.`,
          ],
        ]),
    ...(absent.length === 0
      ? []
      : [
          [
            `No container was seen of ${absent.map(({ name }) => name).join(', ')}: make sure that none runs, here or on another host.`,
          ],
        ]),
    [
      recreated.length > 0
        ? `See what would happen, then let it: ${recreated.length <= 3 ? recreated.join(', ') : `${recreated.slice(0, 2).join(', ')} and ${recreated.length - 2} more`} will be recreated, because the definition differs, each in its own safe moment; the node first, which then says who is idle.`
        : 'See what would happen, then start:',
      'smesh-compose plan',
      recreated.length > 0 ? 'smesh-compose up --wait' : 'smesh-compose up',
    ],
    ...(facts.formerFiles.length === 0
      ? []
      : [
          [
            'Put the former file aside, so that nobody starts it again beside this:',
            ...facts.formerFiles.map(
              (file) => `mv ${quoteForShell(file)} ${quoteForShell(`${file}.before-smesh`)}`,
            ),
          ],
        ]),
  ];
}

/** How to ask the post-services among them whether they are idle, where they can be reached. */
function askStatus(programs: readonly FoundProgram[]): readonly string[] {
  const places = programs.flatMap((program) => {
    const { container, hostNetwork, names, words } = program;
    const [, bound = '', port] = /^(.*):(\d+)$/.exec(flagValue(words, ['--operator-address']) ?? '') ?? [];
    const ip = hostNetwork ? '127.0.0.1' : names.find((name) => /^\d+(\.\d+){3}$/.test(name));
    const isOpen = hostNetwork || !['127.0.0.1', '[::1]'].includes(bound);
    return container?.runs && port !== undefined && ip !== undefined && isOpen ? [`${ip}:${port}`] : [];
  });
  if (places.length === 0) return [];
  return [`for a in ${places.join(' ')}; do curl -s http://$a/status; echo; done`];
}

/** Texts with a number, commands below them on lines of their own, to be copied. */
function numbered(all: readonly (readonly string[])[]): readonly string[] {
  return all.flatMap(([text = '', ...commands], index) => [
    `${index + 1}. ${text}`,
    ...commands.map((command) => `     ${command}`),
  ]);
}
