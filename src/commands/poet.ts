import { defineCommand } from './command.ts';

export const poetCommand = defineCommand({
  name: 'poet',
  summary: 'PoET servers: list, add, remove, check, rounds and deadlines, change of phase, one of your own',
  async run() {
    throw new Error('not written yet');
  },
});
