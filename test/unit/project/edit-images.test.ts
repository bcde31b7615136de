import { describe, expect, it } from 'vitest';
import type { SmesherId } from '../../../src/domain/identity/smesher-id.ts';
import { setImages } from '../../../src/domain/project/edit-images.ts';

const NEW = `spacemeshos/go-spacemesh:v1.7.7@sha256:${'ab'.repeat(32)}`;
const A = 'a1'.repeat(32) as SmesherId;
const B = 'b2'.repeat(32) as SmesherId;

describe('naming other images in smesh.yaml', () => {
  it('puts the name where the old one stood; every other byte stays', () => {
    const text = 'version: 1 # one\nnode:\n    image: "x/y:v1"   # ours\n    data: /d\n# end\n';
    expect(setImages(text, { node: NEW })).toBe(
      `version: 1 # one\nnode:\n    image: ${NEW}   # ours\n    data: /d\n# end\n`,
    );
  });

  it('adds it to a section that names none, in the style of the section', () => {
    expect(setImages('node:\n   data: /d\n', { node: NEW })).toBe(`node:\n   image: ${NEW}\n   data: /d\n`);
    expect(setImages('node: {data: /d}\n', { node: NEW })).toBe(`node: {image: ${NEW}, data: /d}\n`);
    expect(setImages('node: {}\n', { node: NEW })).toBe(`node: {image: ${NEW}}\n`);
    expect(setImages('node:   # later\nname: n\n', { node: NEW })).toBe(
      `node:   # later\n  image: ${NEW}\nname: n\n`,
    );
    expect(setImages('node: # later\r\nname: n\r\n', { node: NEW })).toBe(
      `node: # later\r\n  image: ${NEW}\r\nname: n\r\n`,
    );
  });

  it('adds a section that is not there', () => {
    expect(setImages('version: 1', { provers: NEW })).toBe(`version: 1\n\ndefaults:\n  image: ${NEW}\n`);
  });

  it('changes what single identities name, in lists of both styles', () => {
    const block = `identities:\n  # first\n  - {id: ${A}, name: a}\n  - id: ${B.toUpperCase()}\n    image: x:v1 # own\n`;
    expect(setImages(block, { own: new Map([[B, NEW]]) })).toBe(block.replace('x:v1', NEW));
    expect(setImages(block, { own: new Map([[A, NEW]]) })).toBe(block.replace('{id', `{image: ${NEW}, id`));
    const dashes = `identities:\n  - id: ${A}\n    name: a\n`;
    expect(setImages(dashes, { own: new Map([[A, NEW]]) })).toBe(
      `identities:\n  - image: ${NEW}\n    id: ${A}\n    name: a\n`,
    );
  });

  it('refuses where more would change, and says what to write', () => {
    const aliased = 'node: {image: &i x:v1}\ndefaults: {image: *i}\n';
    expect(() => setImages(aliased, { node: NEW })).toThrow(/cannot name another image/);
    expect(() => setImages(aliased, { provers: NEW })).toThrow(/cannot name another image/);
    expect(() => setImages('{version: 1}', { node: NEW })).toThrow(/cannot name another image/);
  });
});
