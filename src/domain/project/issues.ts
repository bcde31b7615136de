import * as z from 'zod';
import { formatPath } from './diagnostics.ts';
import { projectFileSchema } from './schema.ts';
import { diagnose, type SourceFile } from './source.ts';
import { didYouMean } from './suggest.ts';
import type { Diagnostic } from './types.ts';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of keys and values',
  record: 'a mapping of keys and values',
  array: 'a list',
};

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value);
}

/** Keys that the schema knows at a path, to propose the one that was meant. */
function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schemas: z.core.$ZodType[] = [projectFileSchema];
  const open = (schema: z.core.$ZodType): z.core.$ZodType[] => {
    if (schema instanceof z.ZodOptional) return open(schema.unwrap());
    if (schema instanceof z.ZodUnion) return schema.options.flatMap(open);
    return [schema];
  };
  for (const part of path) {
    schemas = schemas.flatMap(open).flatMap((schema) => {
      if (schema instanceof z.ZodArray) return [schema.element];
      if (schema instanceof z.ZodObject && typeof part === 'string' && Object.hasOwn(schema.shape, part)) {
        return [schema.shape[part]];
      }
      return [];
    });
  }
  return schemas.flatMap(open).flatMap((schema) => {
    return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  });
}

function messageOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = KINDS[issue.expected] ?? issue.expected;
      if (!issue.message.startsWith('Invalid input')) return issue.message;
      if (issue.input === undefined) return 'is missing';
      if (issue.input === null) return `is empty; ${wanted} belongs here`;
      return `${kindOf(issue.input)} stands where ${wanted} belongs`;
    }
    case 'invalid_value':
      if (!issue.message.startsWith('Invalid')) return issue.message;
      return issue.input === undefined
        ? `is missing: ${issue.values.map(String).join(' or ')}`
        : `${kindOf(issue.input)} is not one of ${issue.values.map(String).join(', ')}${proposal(issue)}`;
    default:
      return issue.message;
  }
}

function proposal(issue: Extract<Issue, { code: 'invalid_value' }>): string {
  const meant =
    typeof issue.input === 'string' ? didYouMean(issue.input, issue.values.map(String)) : undefined;
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** The issues of the alternative that was meant: a mapping is judged as one, anything else as the plain value. */
function meantAlternative(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] {
  const isMapping = typeof issue.input === 'object' && issue.input !== null && !Array.isArray(issue.input);
  const wanted = issue.errors.find((issues) => {
    const wrongKind = issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0);
    return (
      isMapping &&
      !wrongKind &&
      !issues.some(({ code, path }) => code === 'invalid_value' && path.length === 0)
    );
  });
  return wanted ?? issue.errors[0] ?? [];
}

/** Keys that are not missing but misspelt: saying so once is enough. */
function meantPaths(issue: Issue): readonly string[] {
  if (issue.code !== 'unrecognized_keys') return [];
  const known = knownKeys(issue.path);
  return issue.keys.flatMap((key) => {
    const meant = didYouMean(key, known);
    return meant === undefined ? [] : [formatPath([...issue.path, meant])];
  });
}

/** Turns what the schema found into diagnostics at their lines. */
export function diagnosticsOf(source: SourceFile, issues: readonly Issue[]): readonly Diagnostic[] {
  const misspelt = new Set(issues.flatMap(meantPaths));
  const isMissing = (issue: Issue) => issue.code === 'invalid_type' && issue.input === undefined;
  const worthTelling = issues.filter((issue) => !(isMissing(issue) && misspelt.has(formatPath(issue.path))));
  return worthTelling.flatMap((issue): readonly Diagnostic[] => {
    if (issue.code === 'invalid_union' && issue.errors.length > 0) {
      return diagnosticsOf(
        source,
        meantAlternative(issue).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })),
      );
    }
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(issue.path);
      return issue.keys.map((key) => {
        const meant = didYouMean(key, known);
        const advice = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
        return diagnose(source, 'error', [...issue.path, key], `unknown key; ${advice}`, 'key');
      });
    }
    return [diagnose(source, 'error', issue.path, messageOf(issue))];
  });
}
