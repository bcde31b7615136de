import { defineCommand } from './command.ts';

export const backupCommand = defineCommand({
  name: 'backup',
  summary: 'keys, settings and local.sql in one encrypted file: create, list, verify, restore',
  async run() {
    throw new Error('not written yet');
  },
});
