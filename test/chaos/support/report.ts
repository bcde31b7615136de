import { STATES } from './acts.ts';
import type { Journal } from './journal.ts';

/** What a run did and survived, as a table. */
export function renderReport(journal: Journal): string {
  const { tally, counts, acts } = journal;
  const { proofs, lost, epochs } = journal.judge();
  const row = (...cells: readonly (string | number)[]) =>
    cells.map((cell, index) => (index === 0 ? String(cell).padEnd(14) : String(cell).padStart(10))).join('');
  const byTool = acts.filter(({ by }) => by === 'tool').length;
  return [
    row('state', 'executed', 'refused'),
    ...STATES.map((state) => row(state, tally.of('executed', state), tally.of('refused', state))),
    '',
    `${byTool} commands of the tool, ${acts.length - byTool} acts past it`,
    `${counts.killed} commands killed with SIGKILL, ${counts.busy} turned away as busy`,
    `${counts.engineRestarts} restarts of the engine, ${counts.nodeRestarts} of the node, ${counts.upgrades} upgrades`,
    `${proofs} proofs handed over; lost: ${lost.tool} through the tool, ${lost.forced} with --force, ${lost.other} through others, ${lost.photoFinish} asked for in the very moment of a stop`,
    `${epochs.required} publications required, ${epochs.published} made, excused: ${epochs.excused.unregistered} had not registered, ${epochs.excused.late} were late, ${epochs.excused.disturbed} were disturbed on purpose`,
  ].join('\n');
}
