import { describe, expect, it } from 'vitest';
import { SmeshError } from '../../../src/domain/errors.ts';
import type { DockerPort, LogLine } from '../../../src/ports/docker.ts';
import { cleanLogText, logLineRenderer } from '../../../src/ui/log-lines.ts';
import { mergeLogs } from '../../../src/usecases/logs.ts';

describe('a line of a foreign log', () => {
  it.each([
    ['\u001b[31mred\u001b[0m text', 'red text'],
    ['\u001b]0;title\u0007after', 'after'],
    ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
    ['a\u001b[2Jb\u001b[1;1Hc', 'abc'],
    ['back\bspace', 'back\\x08space'],
    ['two\rlines', 'two\\rlines'],
    ['\u009b31mc1', '\\x9b31mc1'],
    ['time\tINFO\tnode\tmessage', 'time\tINFO\tnode\tmessage'],
    ['\u202eright to left', '\\u202eright to left'],
    ['', ''],
  ])('%j becomes %j', (text, clean) => {
    expect(cleanLogText(text)).toBe(clean);
  });

  it('stands behind its aligned service, with a colour of its own where colours are wanted', () => {
    const services = ['node', 'post-0001'];
    const plain = logLineRenderer({ color: false, timestamps: false, services });
    expect(plain({ service: 'node', at: 0, text: 'hello' })).toBe('node       | hello');
    expect(plain({ service: 'post-0001', at: 0, text: '' })).toBe('post-0001  |');
    const timed = logLineRenderer({ color: false, timestamps: true, services });
    expect(timed({ service: 'node', at: 1500, text: 'x' })).toBe('node       | 1970-01-01T00:00:01.500Z x');
    const colored = logLineRenderer({ color: true, timestamps: false, services });
    const [node, post] = services.map((service) => colored({ service, at: 0, text: 'x' }).slice(0, 5));
    expect(node).not.toBe(post);
  });
});

describe('many logs at once', () => {
  const line = (at: number, text: string): LogLine => ({ stream: 'stderr', at, text });

  function dockerWith(logs: Readonly<Record<string, readonly LogLine[] | Error>>) {
    let open = 0;
    let ahead = 0;
    const docker = {
      async *logs(container: string) {
        const found = logs[container] ?? [];
        if (found instanceof Error) throw found;
        open += 1;
        for (const one of found) {
          ahead += 1;
          yield one;
        }
        open -= 1;
      },
    } as unknown as DockerPort;
    return { docker, open: () => open, ahead: () => ahead };
  }

  const sources = ['a', 'b', 'c'].map((name) => ({ service: name, containerId: name }));
  const query = { signal: new AbortController().signal };

  it('are merged by time; each keeps its own order even where its clock went back', async () => {
    const { docker, open } = dockerWith({
      a: [line(1, 'a1'), line(5, 'a5'), line(4, 'a4')],
      b: [line(2, 'b2'), line(5, 'b5')],
    });
    const texts: string[] = [];
    for await (const { service, text } of mergeLogs(docker, sources, query)) texts.push(`${service}:${text}`);
    expect(texts).toEqual(['a:a1', 'b:b2', 'a:a5', 'a:a4', 'b:b5']);
    expect(open()).toBe(0);
  });

  it('are read no further ahead than a line each', async () => {
    const long = Array.from({ length: 10_000 }, (_, at) => line(at, 'x'));
    const { docker, ahead } = dockerWith({ a: long, b: long, c: long });
    const merged = mergeLogs(docker, sources, query);
    for (let count = 0; count < 10; count += 1) await merged.next();
    expect(ahead()).toBeLessThan(15);
    await merged.return(undefined);
  });

  it('pass over a container that was removed meanwhile, and over nothing else', async () => {
    const gone = new SmeshError('container-gone', 4, 'gone');
    const texts: string[] = [];
    const { docker } = dockerWith({ a: gone, b: [line(1, 'b')] });
    for await (const { text } of mergeLogs(docker, sources, query)) texts.push(text);
    expect(texts).toEqual(['b']);
    const broken = dockerWith({ a: new SmeshError('engine-down', 4, 'down'), b: [line(1, 'b')] });
    await expect(mergeLogs(broken.docker, sources, query).next()).rejects.toThrow('down');
  });
});
