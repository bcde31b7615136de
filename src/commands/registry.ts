import type { CommandSpec } from './command.ts';

interface RegisteredCommand {
  readonly name: string;
  /** Stands in `--help` without loading the command. */
  readonly summary: string;
  load(): Promise<CommandSpec>;
}

/** Every verb, in the order of the help. A command's code is loaded only when it is asked for. */
export const registry: readonly RegisteredCommand[] = [
  {
    name: 'scan',
    summary: 'find PoST directories and keys, and say what each is good for',
    load: async () => (await import('./scan.ts')).scanCommand,
  },
  {
    name: 'init',
    summary: 'make a project from the identities found, or add what is new to one',
    load: async () => (await import('./init.ts')).initCommand,
  },
  {
    name: 'add',
    summary: 'add identities to the project',
    load: async () => (await import('./add.ts')).addCommand,
  },
  {
    name: 'remove',
    summary: 'take identities out of the project; data and original keys stay',
    load: async () => (await import('./remove.ts')).removeCommand,
  },
  {
    name: 'merge',
    summary: 'bring existing nodes in: keys and local.sql of each, and keep them from starting again',
    load: async () => (await import('./merge.ts')).mergeCommand,
  },
  {
    name: 'adopt',
    summary: 'take over a hand-written Compose project or single containers without restarting anything',
    load: async () => (await import('./adopt.ts')).adoptCommand,
  },
  {
    name: 'keys',
    summary: 'where each identity stands on this host, and who may start a node with it',
    load: async () => (await import('./keys.ts')).keysCommand,
  },
  {
    name: 'generate',
    summary: 'write compose.yaml, node/config.json and the installed keys from smesh.yaml',
    load: async () => (await import('./generate.ts')).generateCommand,
  },
  {
    name: 'plan',
    summary: 'show what up would do, why, and what it costs',
    load: async () => (await import('./plan.ts')).planCommand,
  },
  {
    name: 'up',
    summary: 'check, create and start the node and the post-services',
    load: async () => (await import('./up.ts')).upCommand,
  },
  {
    name: 'run',
    summary: 'the schedule: starts, holds and stops post-services so that all proofs fit the gap',
    load: async () => (await import('./run.ts')).runCommand,
  },
  {
    name: 'stop',
    summary: 'stop post-services and node, each in a moment when no proof is lost',
    load: async () => (await import('./stop.ts')).stopCommand,
  },
  {
    name: 'restart',
    summary: 'restart what runs, each in a moment when no proof is lost',
    load: async () => (await import('./restart.ts')).restartCommand,
  },
  {
    name: 'down',
    summary: 'stop and remove the containers; data and keys stay',
    load: async () => (await import('./down.ts')).downCommand,
  },
  {
    name: 'upgrade',
    summary: 'bring new images in, in safe moments, and go back when they do not work',
    load: async () => (await import('./upgrade.ts')).upgradeCommand,
  },
  {
    name: 'guard',
    summary: 'exit 75 while anything proves: for cron, reboots and update hooks',
    load: async () => (await import('./guard.ts')).guardCommand,
  },
  {
    name: 'status',
    summary: 'node, epoch and every identity in one table',
    load: async () => (await import('./status.ts')).statusCommand,
  },
  {
    name: 'verify',
    summary: 'is it right, will I be paid: key, data, node, PoET, ATX, eligible layers, rewards',
    load: async () => (await import('./verify.ts')).verifyCommand,
  },
  {
    name: 'forecast',
    summary: 'will all proofs fit into the next cycle gap, who misses it, and what would help',
    load: async () => (await import('./forecast.ts')).forecastCommand,
  },
  {
    name: 'bench',
    summary: 'measure how fast the disks read, and how fast k2pow went',
    load: async () => (await import('./bench.ts')).benchCommand,
  },
  {
    name: 'poet',
    summary: 'PoET servers: list, add, remove, check, rounds and deadlines, change of phase, one of your own',
    load: async () => (await import('./poet.ts')).poetCommand,
  },
  {
    name: 'backup',
    summary: 'keys, settings and local.sql in one encrypted file: create, list, verify, restore',
    load: async () => (await import('./backup.ts')).backupCommand,
  },
  {
    name: 'gpu',
    summary: 'graphics cards of this host, and what postcli sees of them inside a container',
    load: async () => (await import('./gpu.ts')).gpuCommand,
  },
  {
    name: 'post',
    summary: 'PoST data of new identities: make it on the GPU, watch it, stop it, check its labels',
    load: async () => (await import('./post.ts')).postCommand,
  },
  {
    name: 'events',
    summary: "the node's events, by identity and in plain words",
    load: async () => (await import('./events.ts')).eventsCommand,
  },
  {
    name: 'logs',
    summary: 'follow the logs of many services',
    load: async () => (await import('./logs.ts')).logsCommand,
  },
  {
    name: 'doctor',
    summary: 'look at host, engine, clock, disks, PoETs, images and keys; write a report for a bug',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  {
    name: 'rehearse',
    summary: 'the whole thing on a private network with throw-away identities',
    load: async () => (await import('./rehearse.ts')).rehearseCommand,
  },
];
