declare const SMESH_COMPOSE_VERSION: string | undefined;

/** The version of the package; `0.0.0-dev` when the sources run without having been built. */
export const version: string =
  typeof SMESH_COMPOSE_VERSION === 'string' ? SMESH_COMPOSE_VERSION : '0.0.0-dev';
