import type { SmesherId } from '../../domain/identity/smesher-id.ts';
import { type StandaloneSettings, standaloneNetwork } from '../../domain/node/networks.ts';
import { type EpochClock, epochClock } from '../../domain/poet/epochs.ts';
import type { Identity } from '../../domain/project/types.ts';
import {
  estimateSeconds,
  genesisTimeAt,
  leadSeconds,
  nextRestartAt,
  type RehearsalTiming,
  rehearsalTiming,
  settleMs,
} from '../../domain/rehearsal/timing.ts';
import { type Marks, type RehearsalSummary, renderMarks } from '../../ui/rehearsal.ts';
import { formatDuration, plural } from '../../ui/units.ts';
import type { Context } from '../context.ts';
import { makePoetKey } from '../init/ask-settings.ts';
import { claimFolder, type MadeByRehearsal, type RehearsalFolder, shownPath } from './folder.ts';
import { Follower } from './follower.ts';
import { ensureImages, type RehearsalImages } from './images.ts';
import { directoryOf, makeIdentities } from './make-identities.ts';
import { findFreePorts, writePrivateProject } from './private-project.ts';
import { TypedCommands } from './typed-commands.ts';
import { markContainers, requireUntouched } from './untouched.ts';

export interface RehearsalOptions {
  readonly identities: number;
  readonly disks: number;
  readonly epochSeconds: number;
  readonly images: RehearsalImages;
  /** Absolute. */
  readonly directory: string;
  readonly keep: boolean;
  /** Milliseconds for all of it. Default: three times the estimate. */
  readonly timeoutMs?: number;
}

const PATIENCE = 3;

const UP_TRIES = 3;

/**
 * One run of the whole on a private network (issue text, `rehearse`): tiny identities, a project, an epoch until every
 * identity has published, one more identity. What a person would type is done by the use cases that would do it.
 */
export class Rehearsal {
  readonly #context: Context;
  readonly #options: RehearsalOptions;
  readonly #timing: RehearsalTiming;
  readonly #began: number;
  readonly #name: string;
  readonly #directories: string[] = [];
  readonly #projectParts: string[] = [];
  #folder: RehearsalFolder | undefined;
  #follower: Follower | undefined;
  #stage = 0;

  constructor(context: Context, options: RehearsalOptions) {
    this.#context = context;
    this.#options = options;
    this.#timing = rehearsalTiming(options.epochSeconds);
    this.#began = context.clock.now();
    this.#name = `rehearsal-${Buffer.from(context.ports.crypto.randomBytes(3)).toString('hex')}`;
  }

  /** Present once anything was made. */
  get folder(): RehearsalFolder | undefined {
    return this.#folder;
  }

  get projectName(): string {
    return this.#name;
  }

  /** To be removed with the rehearsal, and nothing else. */
  get made(): MadeByRehearsal {
    return { directories: this.#directories, projectParts: this.#projectParts };
  }

  async stopFollowing(): Promise<void> {
    await this.#follower?.stop();
  }

  /** From nothing to the last ATX; takes nothing down. */
  async play(): Promise<RehearsalSummary> {
    const { identities, disks, images, directory } = this.#options;
    const estimate = estimateSeconds(this.#timing, identities);
    this.#introduce(estimate);
    await ensureImages(this.#context, images);
    const folder = await claimFolder(this.#context, directory);
    this.#folder = folder;
    const commands = new TypedCommands(this.#context, folder);

    const network = this.#chooseNetwork();
    this.#headline(`Make ${plural(identities, 'tiny identity', 'tiny identities')} with postcli`);
    await this.#make(folder, network, identities);
    this.#say(
      `${plural(identities, 'key')} and PoST data in ${shownPath(folder.disks)}/disk1${disks === 1 ? '' : ` … disk${disks}`}`,
    );

    this.#headline('Make a project for them');
    const first = await this.#makeProject(folder, commands, network);

    this.#headline('Start it');
    await commands.up();
    const startedAfterMs = this.#context.clock.now() - this.#began;

    this.#headline('Wait until every identity has published its ATX');
    const follower = await this.#startFollowing(commands);
    follower.add(first);
    await follower.untilPublished(ids(first), 'every identity publishes its ATX');
    const publishedAfterMs = this.#context.clock.now() - this.#began;

    this.#headline('Add one more identity');
    const before = await markContainers(this.#context, this.#name);
    const added = await this.#addOne(folder, commands, network);
    const after = await this.#upWithNewKey(before, commands, network, follower);
    requireUntouched(before, after, [added.name]);
    this.#say('Containers before and after:');
    for (const line of renderMarks(before, after)) this.#say(`  ${line}`);

    this.#headline(`Wait until ${added.name} has published too`);
    follower.add([added]);
    await follower.untilPublished([added.id], `${added.name}, added later, publishes its ATX`);
    const epoch = epochOf(follower, added.id);
    // The others publish in the same gap; taking them down in the middle of a proof would rehearse a mistake.
    const all = [...first, added];
    await follower.untilPublished(ids(all), 'everybody goes on publishing', epoch);
    requireUntouched(before, await markContainers(this.#context, this.#name), [added.name]);
    await commands.status();
    return {
      project: this.#name,
      directory: folder.path,
      images,
      epochSeconds: this.#timing.epochSeconds,
      disks,
      identities: all.map((identity) => ({
        name: identity.name,
        smesher: identity.id,
        data: identity.data,
        added: identity.id === added.id,
        publishEpochs: follower.atxs
          .filter(({ smesher }) => smesher === identity.id)
          .map(({ publishEpoch }) => publishEpoch)
          .sort((a, b) => a - b),
      })),
      untouched: before.provers,
      nodeRecreated: true,
      startedAfterMs,
      publishedAfterMs,
      addedAfterMs: this.#context.clock.now() - this.#began,
    };
  }

  #introduce(estimate: number): void {
    const { out } = this.#context;
    const { identities, disks, images } = this.#options;
    out.note(
      [
        `A rehearsal: ${plural(identities, 'identity', 'identities')} on ${plural(disks, 'folder that plays a disk', 'folders that play disks')}, one node, a private network.`,
        `It takes about ${plural(Math.max(1, Math.round(estimate / 60)), 'minute')}; an epoch is ${formatDuration(this.#timing.epochSeconds * 1000)} instead of two weeks.`,
        'Keys and data are made for it and thrown away with it. Nothing of yours is read or changed.',
        `Images: ${images.node}, ${images.post}, ${images.postcli}`,
      ].join('\n'),
    );
  }

  #headline(text: string): void {
    this.#stage += 1;
    this.#context.out.note(`\n${this.#stage}. ${text}`);
  }

  #say(text: string): void {
    this.#context.out.note(`   ${text}`);
  }

  #chooseNetwork(): StandaloneSettings {
    const { clock } = this.#context;
    const { layerSeconds, layersPerEpoch } = this.#timing;
    return {
      genesisTime: genesisTimeAt(clock.now() + leadSeconds(this.#options.identities) * 1000),
      poetPrivateKey: makePoetKey(this.#context),
      layerSeconds,
      layersPerEpoch,
    };
  }

  get #deadlineMs(): number {
    const estimate = estimateSeconds(this.#timing, this.#options.identities) * 1000;
    return this.#began + (this.#options.timeoutMs ?? estimate * PATIENCE);
  }

  async #make(folder: RehearsalFolder, network: StandaloneSettings, upTo: number): Promise<void> {
    const wanted: string[] = [];
    for (let number = this.#directories.length + 1; number <= upTo; number += 1) {
      wanted.push(directoryOf(folder, number, this.#options.disks));
    }
    this.#directories.push(...wanted);
    await makeIdentities(this.#context, {
      image: this.#options.images.postcli,
      network: standaloneNetwork(network),
      folder,
      directories: wanted,
    });
  }

  async #makeProject(
    folder: RehearsalFolder,
    commands: TypedCommands,
    network: StandaloneSettings,
  ): Promise<readonly Identity[]> {
    const ports = await findFreePorts(this.#context);
    await writePrivateProject(this.#context, folder, {
      name: this.#name,
      network,
      timing: this.#timing,
      images: this.#options.images,
      ports,
    });
    this.#say(
      `${shownPath(folder.project)}/smesh.yaml describes the private network; init adds the identities:`,
    );
    try {
      return await commands.init(this.#options.identities);
    } finally {
      // The folder is new: all that lies in it now was written by this run.
      for (const { name } of await this.#context.ports.files.list(folder.project)) {
        this.#projectParts.push(`${folder.project}/${name}`);
      }
    }
  }

  async #startFollowing(commands: TypedCommands): Promise<Follower> {
    const project = await commands.project();
    const clock = epochClock(project.network, project.poet);
    const { publicApi, privateApi } = project.node.ports;
    this.#follower = new Follower(this.#context, {
      project: this.#name,
      clock,
      endpoint: { publicApi: `127.0.0.1:${publicApi}`, privateApi: `127.0.0.1:${privateApi}` },
      began: this.#began,
      deadline: this.#deadlineMs,
    });
    return this.#follower;
  }

  async #addOne(
    folder: RehearsalFolder,
    commands: TypedCommands,
    network: StandaloneSettings,
  ): Promise<Identity> {
    const wanted = this.#options.identities + 1;
    await this.#make(folder, network, wanted);
    const place = this.#directories.at(-1);
    this.#say(`A new disk's worth of data appears: ${shownPath(place ?? '')}`);
    const identities = await commands.init(wanted);
    const added = identities.find(({ data }) => data === place);
    if (added === undefined) throw new Error(`init added everything but ${place}`);
    await commands.plan();
    return added;
  }

  /** `up` until the node was recreated: on a slow machine the cycle gap may open first, and then `up` leaves it alone. */
  async #upWithNewKey(
    before: Marks,
    commands: TypedCommands,
    network: StandaloneSettings,
    follower: Follower,
  ): Promise<Marks> {
    for (let tries = 1; ; tries += 1) {
      await this.#waitForRestart(network, follower);
      await commands.up();
      const after = await markContainers(this.#context, this.#name);
      if (after.node?.containerId !== before.node?.containerId || tries === UP_TRIES) return after;
      this.#say('The next cycle gap was faster, so the node was left alone once more.');
    }
  }

  /** Never in the cycle gap, as with a real node, and not while a round has just begun (spacemesh.md §14.7). */
  async #waitForRestart(network: StandaloneSettings, follower: Follower): Promise<void> {
    const clock: EpochClock = epochClock(standaloneNetwork(network), this.#timing.poet);
    const at = nextRestartAt(clock, this.#context.clock.now(), settleMs(this.#timing));
    if (at <= this.#context.clock.now()) return;
    this.#say('The node reads new keys only when it starts. It is left alone until the cycle gap is over:');
    await follower.untilTime(at, 'the node may restart');
  }
}

function ids(identities: readonly Identity[]): readonly SmesherId[] {
  return identities.map(({ id }) => id);
}

function epochOf(follower: Follower, id: SmesherId): number {
  return Math.max(
    ...follower.atxs.filter(({ smesher }) => smesher === id).map(({ publishEpoch }) => publishEpoch),
  );
}
