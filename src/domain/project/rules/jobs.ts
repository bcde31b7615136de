import { shortId } from '../../identity/smesher-id.ts';
import { RESERVED_NAMES } from '../name.ts';
import type { InitialisationJob, Project } from '../types.ts';
import { error, type Finding, type Rule } from './rule.ts';

type At = (key: keyof InitialisationJob) => readonly PropertyKey[];

/**
 * Conditions between jobs, and between jobs and identities: what is half made must not be served, nobody's name may come to
 * mean somebody else, and parts of one identity must fit together (spacemesh.md §8.3).
 */
export const jobs: Rule = ({ project }) => {
  const settings = project.initialisation;
  if (settings === undefined) return [];
  const findings: Finding[] = [];
  for (const [index, job] of settings.jobs.entries()) {
    const at: At = (key) => ['init', 'jobs', index, key];
    findings.push(...againstIdentities(job, project, at), ...ofItsName(job, project, at));
    if (job.device !== undefined && settings.devices.length > 0 && !settings.devices.includes(job.device))
      findings.push(
        error(at('device'), `${JSON.stringify(job.device)} is not among init.devices: add it there, too`),
      );
    if (job.device !== undefined && settings.gpu === 'cpu')
      findings.push(error(at('device'), 'the CPU has no devices to choose from'));
    const [first] = settings.jobs.filter(({ id }) => id === job.id);
    if (first !== undefined && first !== job) findings.push(...besideFirst(job, first, at));
  }
  return [...findings, ...ranges(settings.jobs, project)];
};

function againstIdentities(job: InitialisationJob, { identities }: Project, at: At): readonly Finding[] {
  const findings: Finding[] = [];
  const served = identities.find(({ id }) => id === job.id);
  if (served !== undefined)
    findings.push(
      error(
        at('id'),
        `smesher ${shortId(job.id)} is served already as ${served.name}: its data must not be written while it may be proved`,
      ),
    );
  for (const key of ['data', 'into'] as const) {
    const owner = identities.find(({ data }) => data === job[key]);
    if (owner !== undefined)
      findings.push(error(at(key), `${owner.data} is the directory of ${owner.name} already`));
  }
  return findings;
}

function ofItsName({ id, identity }: InitialisationJob, project: Project, at: At): readonly Finding[] {
  if (identity === undefined) return [];
  const taken = (message: string) => [error(at('identity'), message)];
  if (RESERVED_NAMES.includes(identity)) return taken(`${identity} is the name of the node's own service`);
  const retired = project.retired.find(({ name }) => name === identity);
  if (retired !== undefined && retired.id !== id)
    return taken(
      `${identity} belonged to smesher ${shortId(retired.id)}, which was removed; take a name that was never used`,
    );
  const all = project.initialisation?.jobs ?? [];
  if (project.identities.some(({ name }) => name === identity) || all.some(({ name }) => name === identity))
    return taken(`${identity} is the name of another service already`);
  const other = all.find((job) => job.identity === identity && job.id !== id);
  if (other !== undefined)
    return taken(`${identity} is to be smesher ${shortId(other.id)} already (${other.name})`);
  return [];
}

/** Parts that differ in one of these are parts of nothing. */
const ALIKE = ['units', 'commitmentAtx', 'maxFileSize', 'into', 'identity'] as const;

function besideFirst(job: InitialisationJob, first: InitialisationJob, at: At): readonly Finding[] {
  const findings: Finding[] = ALIKE.filter((key) => job[key] !== first[key]).map((key) =>
    error(
      at(key),
      `${first.name} is of the same identity and has ${first[key] === undefined ? `no ${key}` : `${key} ${first[key]}`}`,
    ),
  );
  if (job.into === undefined)
    findings.push(
      error(
        at('data'),
        `${first.name} makes data of smesher ${shortId(job.id)} already; parts of one need \`into\`, where they are joined`,
      ),
    );
  return findings;
}

function ranges(all: readonly InitialisationJob[], { network }: Project): readonly Finding[] {
  const findings: Finding[] = [];
  const ids = new Set(all.map(({ id }) => id));
  for (const id of ids) {
    const parts = all
      .map((job, index) => ({ job, index }))
      .filter(({ job }) => job.id === id && job.into !== undefined)
      .sort((a, b) => (a.job.fromFile ?? 0) - (b.job.fromFile ?? 0));
    let next = 0;
    for (const { job, index } of parts) {
      const last = Math.ceil((job.units * network.post.labelsPerUnit * 16) / job.maxFileSize) - 1;
      const from = job.fromFile ?? 0;
      const path = ['init', 'jobs', index, 'fromFile'];
      if (from < next)
        findings.push(error(path, `file ${from} is made by another part of this identity already`));
      if (from > next)
        findings.push(
          error(path, `nobody makes ${next === from - 1 ? 'file' : 'files'} ${gap(next, from - 1)}`),
        );
      next = Math.max(next, (job.toFile ?? last) + 1);
      if (index === parts.at(-1)?.index && next <= last)
        findings.push(
          error(
            ['init', 'jobs', index, 'toFile'],
            `nobody makes ${next === last ? 'file' : 'files'} ${gap(next, last)}`,
          ),
        );
    }
  }
  return findings;
}

function gap(from: number, to: number): string {
  return from === to ? `${from}` : `${from} to ${to}`;
}
