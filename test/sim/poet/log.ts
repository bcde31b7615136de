/** Lines as poet writes them: time, level, module, message and one JSON object, with tabs between. */

export function log(
  level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR',
  module: string,
  message: string,
  fields?: Readonly<Record<string, unknown>>,
): void {
  const parts = [
    new Date().toISOString().replace('Z', '+0000'),
    level,
    ...(module === '' ? [] : [module]),
    message,
  ];
  if (fields !== undefined) parts.push(JSON.stringify(fields));
  process.stdout.write(`${parts.join('\t')}\n`);
}
