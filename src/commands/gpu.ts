import { ExitCode, SmeshError } from '../domain/errors.ts';
import { defineCommand } from './command.ts';

export const gpuCommand = defineCommand({
  name: 'gpu',
  summary: 'graphics cards of this host, and what postcli sees of them inside a container',
  description: 'list: the two lists joined, with the reason where they differ.',
  arguments: [{ name: '[action]', summary: 'list (the default)' }],
  options: [],
  examples: [{ command: 'smesh-compose gpu list', summary: 'before post init' }],
  async run() {
    throw new SmeshError('not-yet', ExitCode.usage, 'gpu is not written yet');
  },
});
