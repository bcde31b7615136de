import { defineCommand } from './command.ts';

export const mergeCommand = defineCommand({
  name: 'merge',
  summary: 'bring existing nodes in: keys and local.sql of each, and keep them from starting again',
  async run() {
    throw new Error('not written yet');
  },
});
