import * as z from 'zod';
import { recipientFault } from '../backup/age-recipient.ts';
import { integer, path } from './schema-parts.ts';

/* A secret key that was pasted here by mistake must not be quoted. */
const recipient = z.string().superRefine((text, context) => {
  const fault = recipientFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `this recipient ${fault}` });
});

/** `backup` of smesh.yaml: where backups go and who can open them. */
export const backupSchema = z.strictObject({
  to: z
    .array(path)
    .nonempty('is empty')
    .optional()
    .describe(
      'Folders that each backup goes to; at least one on another disk than keys and data. Default: `.smesh/backups`.',
    ),
  recipients: z
    .array(recipient)
    .optional()
    .describe(
      'age public keys (`age1…`), each of which opens every backup. Without one the automatic backups have no keys in them.',
    ),
  keep: integer(1, 10_000)
    .optional()
    .describe(
      'Backups kept in each folder, those made by hand and the automatic ones counted apart. Default: all of them.',
    ),
});
