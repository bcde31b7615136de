import type { Node } from 'yaml';
import { DEFAULT_MAX_FILE_SIZE } from './defaults.ts';
import { addToEntry, append, flowValue, takeOut } from './edit-lists.ts';
import { setSectionKey } from './edit-section.ts';
import { cannotEdit, contentEnd, type Entry, open, pairAt, readBack, splice } from './edit-sheet.ts';
import { yamlText } from './new-project.ts';
import type { GpuVendor, InitialisationJob } from './types.ts';

/* Initialisation jobs in a smesh.yaml that somebody wrote: every other byte stays. */

/** What the section says of all jobs. What is left out stays as it is, or keeps its default. */
export interface JobSettings {
  readonly gpu: GpuVendor;
  readonly image?: string;
}

const JOBS = ['init', 'jobs'] as const;

const COMMENT =
  '# Jobs that make PoST data (Compose profile init): smesh-compose post init. Each goes when its data is taken in.';

/** A job's keys in the order in which they are written; what is default or absent is left out. */
export function jobEntry(job: InitialisationJob): Entry {
  const { id, name, identity, data, into, units, commitmentAtx, provider, device } = job;
  const { maxFileSize, fromFile, toFile, user } = job;
  const entry = {
    ...{ id, name, identity, data, into, units, commitmentAtx, provider, device },
    maxFileSize: maxFileSize === DEFAULT_MAX_FILE_SIZE ? undefined : maxFileSize,
    ...{ fromFile, toFile, user },
  };
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

/**
 * Adds jobs behind the last one and says what computes them; makes the section `init` where there is none. Jobs that are
 * there already and other settings of the section stay. Exit 5 where the file is written in a way that does not allow it.
 */
export function addJobs(text: string, settings: JobSettings, jobs: readonly InitialisationJob[]): string {
  const entries = jobs.map(jobEntry);
  const [first] = entries;
  if (first === undefined) return text;
  const sheet = open(text);
  if (pairAt(sheet, ['init'])?.value === undefined) return makeSection(text, settings, entries);
  // Jobs that an alias brings in belong to somewhere else, too.
  if (pairAt(sheet, JOBS) === undefined) throw cannotEdit('add a job', first);
  let edited = setSectionKey(text, 'init', 'gpu', settings.gpu);
  if (settings.image !== undefined) edited = setSectionKey(edited, 'init', 'image', settings.image);
  return readBack(
    edited,
    append(edited, JOBS, entries),
    (values) => {
      const init = values['init'] as { jobs?: readonly unknown[] | null };
      values['init'] = { ...init, jobs: [...(init.jobs ?? []), ...entries] };
    },
    'add a job',
    first,
  );
}

interface WrittenInit {
  readonly jobs?: readonly WrittenJob[] | null;
  readonly devices?: readonly unknown[] | null;
}

type WrittenJob = Entry & { readonly name: unknown };

/**
 * Takes jobs out by their names; the settings of the section stay for the next ones. Jobs that had their card by their
 * position keep it, by name from now on: another one would be another container, of a job that may be running. Names that
 * are not there: no change.
 */
export function removeJobs(text: string, names: readonly string[]): string {
  const sheet = open(text);
  const { init } = sheet.document.toJS() as { init?: WrittenInit };
  const jobs = init?.jobs ?? [];
  const pinned = pinnedDevices(init?.devices ?? [], jobs, names);
  const left = {
    init: {
      jobs: jobs.flatMap((job, index) => {
        const device = pinned.get(index);
        if (names.includes(String(job.name))) return [];
        return [device === undefined ? job : { ...job, device }];
      }),
    },
  };
  if (left.init.jobs.length === jobs.length) return text;
  const what = `take out ${names.join(', ')}`;
  if (pairAt(sheet, JOBS) === undefined) throw cannotEdit(what, left);
  const isGone = ({ name }: { name: unknown }) => names.includes(String(name));
  let edited = text;
  // From the end: what stands before keeps its number.
  for (const [index, job] of [...jobs.entries()].reverse()) {
    const device = pinned.get(index);
    if (isGone(job)) edited = takeOut(edited, JOBS, index);
    else if (device !== undefined) edited = addToEntry(edited, JOBS, index, 'device', device);
  }
  return readBack(
    text,
    edited,
    (values) => {
      values['init'] = { ...(values['init'] as object), ...left.init };
    },
    what,
    left,
  );
}

/** Cards that jobs would lose because others before them go, by their present position. */
function pinnedDevices(
  devices: readonly unknown[],
  jobs: readonly WrittenJob[],
  gone: readonly string[],
): ReadonlyMap<number, string> {
  const pinned = new Map<number, string>();
  let after = 0;
  for (const [index, { name, device, provider }] of jobs.entries()) {
    if (gone.includes(String(name))) continue;
    const now = devices[index % devices.length];
    const then = devices[after % devices.length];
    after += 1;
    if (device === undefined && provider === undefined && now !== then) pinned.set(index, String(now));
  }
  return pinned;
}

function makeSection(text: string, settings: JobSettings, entries: readonly Entry[]): string {
  const { eol, root } = open(text);
  const { gpu, image } = settings;
  const init = { gpu, ...(image === undefined ? {} : { image }), jobs: entries };
  return readBack(
    text,
    root.flow ? intoBraces(text, init) : behindAll(text, init, eol),
    (values) => {
      values['init'] = init;
    },
    'add a job',
    { init },
  );
}

function behindAll(text: string, init: Entry, eol: string): string {
  const gap = text === '' || text.endsWith('\n') ? '' : eol;
  const lines = `${COMMENT}\n${yamlText({ init })}`.replaceAll('\n', eol);
  return `${text}${gap}${eol}${lines}`;
}

function intoBraces(text: string, init: Entry): string {
  const last = open(text).root.items.at(-1);
  const end = contentEnd((last?.value ?? last?.key) as Node);
  return splice(text, end, end, `, init: ${flowValue(init)}`);
}
