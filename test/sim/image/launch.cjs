// Starts a bundled stand-in inside its image. The compiled code is kept beside the bundle, because fifty of
// these start at once in a benchmark and compiling is most of what a start costs.
//
// With SIM_WRITE_CODE_CACHE set to a file the code compiled by then is written there at exit (the image build
// does that once, with the same Node that the image holds).
'use strict';
const fs = require('node:fs');
const { createRequire } = require('node:module');
const vm = require('node:vm');

/** @param {string} bundle absolute path of a CommonJS bundle; its code cache is `<bundle>.cache` */
module.exports = function launch(bundle) {
  let cachedData;
  try {
    cachedData = fs.readFileSync(`${bundle}.cache`);
  } catch {
    // Without a cache it only starts more slowly.
  }
  const body = fs.readFileSync(bundle, 'utf8');
  const script = new vm.Script(`(function (exports, require, module, __filename, __dirname) {${body}\n})`, {
    filename: bundle,
    ...(cachedData && { cachedData }),
  });
  const cacheTarget = process.env.SIM_WRITE_CODE_CACHE;
  if (cacheTarget) {
    process.once('exit', () => fs.writeFileSync(cacheTarget, script.createCachedData()));
  }
  const module_ = { exports: {} };
  script.runInThisContext()(module_.exports, createRequire(bundle), module_, bundle, __dirname);
};
