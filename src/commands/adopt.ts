import { defineCommand } from './command.ts';

export const adoptCommand = defineCommand({
  name: 'adopt',
  summary: 'take over a hand-written Compose project or single containers without restarting anything',
  async run() {
    throw new Error('not written yet');
  },
});
