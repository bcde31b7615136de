/**
 * Stands in for `ssh2` in the bundle. docker-modem requires it at load time, but the tool refuses `ssh://` endpoints
 * before it ever connects, and a native crypto module would break the one-file install.
 */
export class Client {
  constructor() {
    throw new Error('ssh:// endpoints are not supported: forward the socket instead (DOCKER_HOST=unix://…)');
  }
}
