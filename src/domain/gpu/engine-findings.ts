import { finding, type GpuSituation } from './judged.ts';
import type { GpuFinding } from './report.ts';

/** Snap keeps Docker in a folder of its own. */
const SNAP_ROOT = /^\/var\/snap\/docker\//;

export const GET_TOOLKIT =
  'Install nvidia-container-toolkit: https://docs.nvidia.com/datacenter/cloud-native/container-toolkit   sudo nvidia-ctk runtime configure --runtime=docker   sudo systemctl restart docker';

/** What there is to say of an engine through which cards are to be used. */
export function engineFindings(situation: GpuSituation): readonly GpuFinding[] {
  const { engine, wanted, cards, looks, joined } = situation;
  if (engine === undefined || !wanted.some((vendor) => vendor !== 'cpu')) return [];
  const found: GpuFinding[] = [];
  const nvidia = wanted.includes('nvidia');
  const byNodes = wanted.includes('amd') || wanted.includes('intel');
  // Offered all the same: that engine has cards of its own, or was given these.
  const offered = joined.some(({ host, inside }) => host !== undefined && inside !== undefined);
  const wasAsked = looks.some(({ look }) => look.kind !== 'not-asked');
  const elsewhere = wasAsked && !offered && cards.length > 0 ? 'error' : 'warning';
  if (engine.desktop) {
    found.push(
      finding(
        elsewhere,
        'engine-desktop',
        "Docker Desktop: containers live in a virtual machine without this host's cards (on Windows it has NVIDIA's, through WSL 2)",
        'Use Docker Engine on Linux: https://docs.docker.com/engine/install/',
      ),
    );
  } else if (!engine.endpoint.startsWith('unix:')) {
    found.push(
      finding(
        elsewhere,
        'engine-remote',
        `The Docker engine is on another machine (${engine.endpoint}): the cards above are this one's, what is offered inside is that one's`,
        'Run smesh-compose on that machine',
      ),
    );
  }
  if (SNAP_ROOT.test(engine.dataRoot)) {
    found.push(
      finding(
        'warning',
        'engine-snap',
        'Docker comes from snap: it is confined, does not find nvidia-container-toolkit of this host, and may not open /dev/kfd',
        'Remove the snap and install Docker Engine from https://docs.docker.com/engine/install/',
      ),
    );
  }
  if (engine.rootless && nvidia) {
    found.push(
      finding(
        'warning',
        'rootless-nvidia',
        'The engine runs without root: the container toolkit must not touch cgroups there, which it does by default',
        'sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups --in-place   then restart the engine',
      ),
    );
  }
  if (engine.rootless && byNodes) {
    found.push(
      finding(
        'warning',
        'rootless-groups',
        "The engine runs without root: groups of this host do not exist in its containers, so render cannot be given to a job, and a card's node must be open to the engine's own user",
        'Use an engine that runs as root, or let a udev rule open the node to all: SUBSYSTEM=="drm", KERNEL=="renderD*", MODE="0666"',
      ),
    );
  } else if (engine.securityOptions.includes('userns') && byNodes) {
    found.push(
      finding(
        'warning',
        'userns-groups',
        "The engine maps users (userns-remap): groups of this host have other numbers in containers, so render's rights do not reach a job",
        'Take userns-remap out of /etc/docker/daemon.json, or open the node to all by a udev rule',
      ),
    );
  }
  const asked = looks.find(({ vendor, look }) => vendor === 'nvidia' && look.kind !== 'not-asked');
  if (
    nvidia &&
    asked === undefined &&
    !engine.runtimes.includes('nvidia') &&
    cards.some(({ vendor }) => vendor === 'nvidia')
  ) {
    found.push(
      finding(
        'warning',
        'toolkit-unseen',
        'The engine names no runtime nvidia: the container toolkit is probably missing, and jobs on NVIDIA cards would not start',
        GET_TOOLKIT,
      ),
    );
  }
  return found;
}
