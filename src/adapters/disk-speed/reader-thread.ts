/*
 * The program of the thread that reads, as text: it must be the same in the bundle, where there is no file of its own.
 * Reads wait inside the kernel, and the four threads of Node's own pool would make five disks look slower than they are.
 *
 * Direct reads need a buffer that begins on a page; the memory of WebAssembly does.
 */
export const READER_THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const fs = require('node:fs');
const BLOCK = 8 * 1024 * 1024;
const PAGE = 4096;
const buffer = new Uint8Array(new WebAssembly.Memory({ initial: BLOCK / 65536 }).buffer);

function open(path, direct) {
  const flags = fs.constants.O_RDONLY | (direct ? fs.constants.O_DIRECT : 0);
  const file = fs.openSync(path, flags);
  try {
    // Some file systems take the flag and refuse the first read.
    if (direct) fs.readSync(file, buffer, 0, PAGE, 0);
    return file;
  } catch (error) {
    fs.closeSync(file);
    throw error;
  }
}

function openAsPossible(path) {
  if (fs.constants.O_DIRECT === undefined) return { file: open(path, false), direct: false };
  try {
    return { file: open(path, true), direct: true };
  } catch (error) {
    if (error.code !== 'EINVAL' && error.code !== 'ENOTSUP') throw error;
    return { file: open(path, false), direct: false };
  }
}

function readSpot(path, forMs) {
  const { file, direct } = openAsPossible(path);
  try {
    const { size, blocks } = fs.fstatSync(file);
    // A file with holes, as one that was only reserved: reading them is no reading.
    const hollow = blocks * 512 < size / 2;
    const last = Math.max(size - 64 * BLOCK, 0);
    let position = Math.floor((Math.random() * last) / PAGE) * PAGE;
    // The way of the heads to this place is no part of reading what lies there.
    if (size > 2 * BLOCK) position += fs.readSync(file, buffer, 0, BLOCK, position);
    let bytes = 0;
    const began = performance.now();
    do {
      const read = fs.readSync(file, buffer, 0, BLOCK, position);
      if (read === 0 && (position === 0 || size === 0)) break;
      bytes += read;
      // A last piece that fills no page cannot be gone on from.
      position = read === BLOCK ? position + read : 0;
    } while (performance.now() - began < forMs);
    return { path, bytes, ms: performance.now() - began, direct, hollow };
  } finally {
    fs.closeSync(file);
  }
}

const { files, forMs } = workerData;
for (const path of files) {
  try {
    parentPort.postMessage({ spot: readSpot(path, forMs / files.length) });
  } catch (error) {
    parentPort.postMessage({ failed: { path, reason: error.message } });
    break;
  }
}
parentPort.close();
`;
