import { error, type Finding, type Rule } from './rule.ts';

/** Jobs that postcli would refuse or, worse, carry out (spacemesh.md §8.1, §14.4). */
export const initialisation: Rule = ({ project }) => {
  const settings = project.initialisation;
  if (settings === undefined) return [];
  const { minUnits, maxUnits, labelsPerUnit } = project.network.post;
  const findings: Finding[] = [];
  settings.jobs.forEach((job, index) => {
    const at = (key: string) => ['init', 'jobs', index, key];
    if (job.units < minUnits || job.units > maxUnits) {
      findings.push(
        error(at('units'), `${job.units} units; ${project.network.name} takes ${minUnits} to ${maxUnits}`),
      );
    }
    if (job.maxFileSize % 16 !== 0)
      findings.push(error(at('maxFileSize'), `${job.maxFileSize} is not a multiple of 16`));
    const files = Math.ceil((job.units * labelsPerUnit * 16) / job.maxFileSize);
    const last = job.toFile ?? files - 1;
    if (last >= files) findings.push(error(at('toFile'), `${last} is beyond the last file, ${files - 1}`));
    if ((job.fromFile ?? 0) > last)
      findings.push(error(at('fromFile'), `${job.fromFile} comes after the last file, ${last}`));
  });
  if (settings.gpu === 'cpu' && settings.devices.length > 0) {
    findings.push(error(['init', 'devices'], 'the CPU has no devices to choose from'));
  }
  if (settings.gpu === 'amd' || settings.gpu === 'intel') {
    settings.devices.forEach((device, index) => {
      if (!/^\/dev\/dri\/renderD\d+$/.test(device)) {
        findings.push(
          error(
            ['init', 'devices', index],
            `${JSON.stringify(device)} is no render node such as /dev/dri/renderD128`,
          ),
        );
      }
    });
  }
  return findings;
};
