/**
 * The tables of go-spacemesh v1.7.6: local.sql whole, and of state.sql what tools may read of a node's own doing.
 * Names, columns and their order are those of the real files, because merging copies rows by position.
 */

export const localVersion = 9;
export const stateVersion = 25;

const zeroHash = `x'${'00'.repeat(32)}'`;

export const localSchema = [
  `CREATE TABLE atx_sync_requests (epoch INT NOT NULL, timestamp INT NOT NULL, total INTEGER, downloaded INTEGER,
     PRIMARY KEY (epoch)) WITHOUT ROWID`,
  `CREATE TABLE atx_sync_state (epoch INT NOT NULL, id CHAR(32) NOT NULL, requests INT NOT NULL DEFAULT 0,
     PRIMARY KEY (epoch, id)) WITHOUT ROWID`,
  `CREATE TABLE challenge (id CHAR(32) PRIMARY KEY, epoch UNSIGNED INT NOT NULL, sequence UNSIGNED INT NOT NULL,
     prev_atx CHAR(32) NOT NULL, pos_atx CHAR(32) NOT NULL, commit_atx CHAR(32), post_nonce UNSIGNED INT,
     post_indices VARCHAR, post_pow UNSIGNED LONG INT, poet_proof_ref CHAR(32), poet_proof_membership VARCHAR)
     WITHOUT ROWID`,
  `CREATE TABLE malfeasance_sync_state (id INT NOT NULL PRIMARY KEY, timestamp INT NOT NULL)`,
  `CREATE TABLE nipost (id CHAR(32) PRIMARY KEY, post_nonce UNSIGNED INT NOT NULL, post_indices VARCHAR NOT NULL,
     post_pow UNSIGNED LONG INT NOT NULL, num_units UNSIGNED INT NOT NULL, vrf_nonce UNSIGNED LONG INT NOT NULL,
     poet_proof_membership VARCHAR NOT NULL, poet_proof_ref CHAR(32) NOT NULL, labels_per_unit UNSIGNED INT NOT NULL)
     WITHOUT ROWID`,
  `CREATE TABLE poet_certificates (node_id BLOB NOT NULL, certifier_id BLOB NOT NULL, certificate BLOB NOT NULL,
     signature BLOB NOT NULL)`,
  `CREATE TABLE poet_registration (id CHAR(32) NOT NULL, hash CHAR(32) NOT NULL, address VARCHAR NOT NULL,
     round_id VARCHAR NOT NULL, round_end INT NOT NULL, PRIMARY KEY (id, address)) WITHOUT ROWID`,
  `CREATE TABLE post (id CHAR(32) PRIMARY KEY, post_nonce UNSIGNED INT NOT NULL, post_indices VARCHAR NOT NULL,
     post_pow UNSIGNED LONG INT NOT NULL, num_units UNSIGNED INT NOT NULL, commit_atx CHAR(32) NOT NULL,
     vrf_nonce UNSIGNED LONG INT NOT NULL, challenge BLOB NOT NULL DEFAULT ${zeroHash})`,
  `CREATE TABLE prepared_activeset (kind UNSIGNED INT NOT NULL, epoch UNSIGNED INT NOT NULL, id CHAR(32) NOT NULL,
     weight UNSIGNED INT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (kind, epoch)) WITHOUT ROWID`,
  `CREATE UNIQUE INDEX idx_poet_certificates ON poet_certificates (node_id, certifier_id)`,
] as const;

export const stateSchema = [
  `CREATE TABLE atxs (id CHAR(32), epoch INT NOT NULL, effective_num_units INT NOT NULL, commitment_atx CHAR(32),
     nonce UNSIGNED LONG INT, base_tick_height UNSIGNED LONG INT, tick_count UNSIGNED LONG INT,
     sequence UNSIGNED LONG INT, pubkey CHAR(32), coinbase CHAR(24), received INT NOT NULL,
     validity INTEGER DEFAULT false, marriage_atx CHAR(32), weight INTEGER)`,
  `CREATE TABLE beacons (epoch INT NOT NULL PRIMARY KEY, beacon CHAR(4)) WITHOUT ROWID`,
  `CREATE TABLE identities (pubkey CHAR(32) PRIMARY KEY, proof BLOB NOT NULL, received INT NOT NULL)`,
  `CREATE TABLE malfeasance (pubkey CHAR(32) PRIMARY KEY, marriage_id INT, received INT NOT NULL, domain INT,
     proof BLOB)`,
  `CREATE TABLE poets (ref VARCHAR PRIMARY KEY, poet BLOB, service_id VARCHAR, round_id VARCHAR)`,
  `CREATE TABLE posts (atxid CHAR(32) NOT NULL, pubkey CHAR(32) NOT NULL, prev_atxid CHAR(32), prev_atx_index INT,
     units INT NOT NULL, publish_epoch UNSIGNED INT)`,
  `CREATE TABLE rewards (pubkey CHAR(32), coinbase CHAR(24) NOT NULL, layer INT NOT NULL,
     total_reward UNSIGNED LONG INT, layer_reward UNSIGNED LONG INT, PRIMARY KEY (pubkey, layer))`,
  `CREATE UNIQUE INDEX atxs_id ON atxs (id)`,
  `CREATE INDEX atxs_by_epoch_by_pubkey ON atxs (epoch, pubkey)`,
] as const;

/** One statement in a form in which layout, quotes and letter case do not matter. */
export function normalizeStatement(sql: string): string {
  return sql
    .replace(/--[^\n]*/g, ' ')
    .replace(/"/g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([(),]) ?/g, '$1')
    .trim()
    .toLowerCase();
}
