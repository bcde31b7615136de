import * as z from 'zod';
import { integer, isNotEmpty, memory, path, quoted, user } from './schema-parts.ts';

/** Flags that follow from the project, or that would part the service from what its container gives it. */
const SET_BY_US = [
  ...['genesis-time', 'epoch-duration', 'phase-shift', 'cycle-gap', 'restlisten', 'rpclisten'],
  ...['config-rpclisten', 'poetdir', 'datadir', 'dbdir', 'logdir', 'configfile'],
];

function flagFault(flag: string): string | undefined {
  const name = /^--([a-z][a-z-]*)(=\S+)?$/.exec(flag)?.[1];
  if (name === undefined) return `${quoted(flag)} is not of the form --name or --name=value`;
  return SET_BY_US.includes(name) ? `--${name} follows from the project and cannot be set here` : undefined;
}

/** `poet.serve` of smesh.yaml: a PoET service of one's own (`smesh-compose poet serve`). */
export const poetServeSchema = z.strictObject({
  image: z
    .string()
    .refine(isNotEmpty, 'is empty')
    .optional()
    .describe('Image of the PoET service: a named release, never `latest`.'),
  port: integer(1, 65_535).optional().describe('Port of its REST API on the host. Default: 8080.'),
  publish: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,3}){3}$/, {
      error: (issue) => `${quoted(issue.input)} is no IPv4 address of this host such as 0.0.0.0`,
    })
    .optional()
    .describe('Address of the host on which the port is published. Default: 127.0.0.1, nobody else.'),
  data: path
    .optional()
    .describe('Folder of its key, proofs and database. Default: `poet` beside smesh.yaml.'),
  user: user.optional().describe('What it runs as. Default: as the node.'),
  memory: memory.optional().describe('Memory limit of its container. Default: none.'),
  flags: z
    .array(
      z.string().superRefine((flag, context) => {
        const fault = flagFault(flag);
        if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
      }),
    )
    .optional()
    .describe('Further flags, each `--name` or `--name=value`: `--memory=20`, `--pow-difficulty=22`.'),
});
