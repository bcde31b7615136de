// Stands in for `ssh2` in the bundle. docker-modem loads it unconditionally, it brings native code, and the tool refuses
// ssh:// engines before they get here (endpoint.ts).

export class Client {
  constructor() {
    throw new Error('Docker over ssh is not supported');
  }
}
