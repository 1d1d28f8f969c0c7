/** The tables, as the list of changes that lead to them. A change that was released is never edited: add one. */
import type { DatabaseSync } from 'node:sqlite'
import { DayflyError } from '../base/errors.ts'

const migrations: readonly string[] = [
  `
  CREATE TABLE environment (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    owner         TEXT NOT NULL,
    spec          TEXT NOT NULL,
    state         TEXT NOT NULL,
    reason        TEXT NOT NULL,
    cause         TEXT,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    expires_at    INTEGER,
    boot_id       TEXT NOT NULL,
    created_boot  INTEGER NOT NULL,
    ttl_deadline  INTEGER NOT NULL,
    last_activity INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX environment_name ON environment (name) WHERE state <> 'ended';
  CREATE INDEX environment_expiry ON environment (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE instance (
    id          TEXT PRIMARY KEY,
    environment TEXT NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    workload    TEXT NOT NULL,
    state       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    pid         INTEGER,
    start       TEXT,
    exit        TEXT
  ) STRICT;
  CREATE INDEX instance_environment ON instance (environment);
  CREATE INDEX instance_live ON instance (state) WHERE state IN ('pending', 'created', 'running');

  -- The head of each record: what its last entry must be. Beside the entries, so that a missing tail is noticed.
  CREATE TABLE record (
    environment TEXT PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    count       INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    sealed      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE event (
    cursor      INTEGER PRIMARY KEY AUTOINCREMENT,
    environment TEXT NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    sequence    INTEGER NOT NULL,
    instance    TEXT,
    time        INTEGER NOT NULL,
    type        TEXT NOT NULL,
    actor_kind  TEXT NOT NULL,
    actor_name  TEXT NOT NULL,
    reason      TEXT NOT NULL,
    data        TEXT NOT NULL,
    hash        TEXT NOT NULL
  ) STRICT;
  CREATE INDEX event_environment ON event (environment, cursor);

  CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE instance ADD COLUMN replica INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE instance ADD COLUMN revision TEXT NOT NULL DEFAULT '';
  ALTER TABLE instance ADD COLUMN wish TEXT;
  ALTER TABLE instance ADD COLUMN address TEXT;
  `,
  `
  ALTER TABLE instance ADD COLUMN origin TEXT;
  ALTER TABLE instance ADD COLUMN earlier INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE instance ADD COLUMN streak INTEGER NOT NULL DEFAULT 0;
  -- It is in the record only: of its place, it is not among the newest that are gone.
  ALTER TABLE instance ADD COLUMN past INTEGER NOT NULL DEFAULT 0;

  UPDATE instance SET origin = (
    SELECT json_object('kind', w ->> 'kind', 'image', w ->> 'image', 'stopSignal', w ->> 'stopSignal', 'grace', w ->> 'grace',
                       'cpus', w ->> '$.limits.cpus', 'memory', w ->> '$.limits.memory')
    FROM (SELECT environment.spec -> ('$.workloads."' || instance.workload || '"') AS w FROM environment WHERE environment.id = instance.environment)
    WHERE w IS NOT NULL
  ) WHERE state <> 'removed';
  UPDATE instance SET past = 1 WHERE state = 'removed' AND (wish IS 'retired' OR id IN (
    SELECT id FROM (
      SELECT id, row_number() OVER (PARTITION BY environment, workload, replica ORDER BY rowid DESC) AS place
      FROM instance WHERE state = 'removed' AND wish IS NOT 'retired'
    ) WHERE place > 5
  ));

  CREATE INDEX instance_present ON instance (environment) WHERE past = 0;
  CREATE INDEX instance_held ON instance (environment, origin ->> '$.cpus', origin ->> '$.memory') WHERE state IN ('pending', 'created', 'running');
  CREATE INDEX environment_owner ON environment (owner) WHERE state <> 'ended';
  `,
  `
  -- What is remembered of images that records speak of; see model/inventory.ts.
  CREATE TABLE image (
    id           INTEGER PRIMARY KEY,
    digest       TEXT NOT NULL UNIQUE,
    names        TEXT NOT NULL,
    distribution TEXT,
    problems     TEXT NOT NULL,
    scanner      TEXT NOT NULL,
    data         TEXT,
    data_from    INTEGER,
    scanned_at   INTEGER NOT NULL,
    matched_at   INTEGER NOT NULL,
    again_at     INTEGER
  ) STRICT;
  CREATE TABLE package (
    id              INTEGER PRIMARY KEY,
    purl            TEXT NOT NULL,
    type            TEXT NOT NULL,
    name            TEXT NOT NULL,
    version         TEXT NOT NULL,
    upstream        TEXT NOT NULL,
    source_name     TEXT NOT NULL,
    source_version  TEXT NOT NULL,
    source_upstream TEXT NOT NULL,
    architecture    TEXT NOT NULL,
    UNIQUE (purl, source_name, source_version)
  ) STRICT;
  CREATE INDEX package_name ON package (name);
  CREATE INDEX package_source ON package (source_name);
  CREATE TABLE image_package (
    image   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    package INTEGER NOT NULL REFERENCES package (id),
    PRIMARY KEY (image, package)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX image_package_package ON image_package (package);
  CREATE TABLE image_vulnerability (
    id          INTEGER PRIMARY KEY,
    image       INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    package     INTEGER NOT NULL REFERENCES package (id),
    name        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    severity    TEXT NOT NULL,
    fixed       TEXT,
    exploited   INTEGER NOT NULL,
    settled     INTEGER NOT NULL,
    since       INTEGER,
    -- The data says so no more since then; it said so again at back, after it had not since gone.
    over        INTEGER,
    gone        INTEGER,
    back        INTEGER
  ) STRICT;
  CREATE INDEX image_vulnerability_image ON image_vulnerability (image, package);
  CREATE INDEX image_vulnerability_package ON image_vulnerability (package);
  CREATE TABLE vulnerability_name (
    name          TEXT NOT NULL,
    vulnerability INTEGER NOT NULL REFERENCES image_vulnerability (id) ON DELETE CASCADE,
    PRIMARY KEY (name, vulnerability)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX vulnerability_name_vulnerability ON vulnerability_name (vulnerability);
  CREATE INDEX instance_image ON instance (origin ->> '$.image') WHERE started_at IS NOT NULL;
  `,
  `
  -- Signatures of sealed records, and every key that ever signed; see model/seal.ts.
  ALTER TABLE record ADD COLUMN signed INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX record_unsigned ON record (environment) WHERE sealed = 1 AND signed = 0;
  CREATE TABLE signature (
    environment TEXT PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    envelope    TEXT NOT NULL,
    signed_at   INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE record_key (
    id      TEXT PRIMARY KEY,
    public  TEXT NOT NULL,
    made_at INTEGER NOT NULL
  ) STRICT;

  -- What instances used, as their records say (instance.used); see model/usage.ts.
  CREATE TABLE usage (
    instance      TEXT PRIMARY KEY REFERENCES instance (id) ON DELETE CASCADE,
    environment   TEXT NOT NULL REFERENCES environment (id) ON DELETE CASCADE,
    owner         TEXT NOT NULL,
    workload      TEXT NOT NULL,
    image         TEXT NOT NULL,
    image_name    TEXT NOT NULL,
    labels        TEXT NOT NULL,
    ended_at      INTEGER NOT NULL,
    cpu           REAL NOT NULL,
    memory        REAL NOT NULL,
    peak          REAL NOT NULL,
    sent          REAL NOT NULL,
    received      REAL NOT NULL,
    lifetime      REAL NOT NULL,
    samples       INTEGER NOT NULL,
    idle          REAL NOT NULL,
    idle_memory   REAL NOT NULL,
    held          REAL,
    last_activity REAL
  ) STRICT;
  CREATE INDEX usage_ended ON usage (ended_at);
  CREATE INDEX usage_environment ON usage (environment);
  `,
  `
  -- By a key that is elsewhere: who has written the row; see vouching.ts.
  ALTER TABLE record ADD COLUMN mac TEXT;
  ALTER TABLE record_key ADD COLUMN mac TEXT;
  `,
  `
  -- Idempotency keys; see model/reply.ts. No status: the request is under way, or was cut off.
  CREATE TABLE reply (
    caller   TEXT NOT NULL,
    key      TEXT NOT NULL,
    request  TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    status   INTEGER,
    body     TEXT,
    PRIMARY KEY (caller, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX reply_taken ON reply (taken_at);
  CREATE INDEX reply_caller ON reply (caller, taken_at);
  `,
  `
  -- Names are unique within a team.
  ALTER TABLE environment ADD COLUMN team TEXT NOT NULL DEFAULT 'default';
  DROP INDEX environment_name;
  CREATE UNIQUE INDEX environment_name ON environment (name, team) WHERE state <> 'ended';
  CREATE INDEX environment_team ON environment (team);

  -- Tokens of the API; see model/token.ts. What is secret of them is not here.
  CREATE TABLE token (
    id             TEXT PRIMARY KEY,
    name           TEXT NOT NULL,
    role           TEXT NOT NULL,
    teams          TEXT NOT NULL,
    digest         TEXT NOT NULL,
    former_digest  TEXT,
    former_until   INTEGER,
    made_by        TEXT NOT NULL,
    made_at        INTEGER NOT NULL,
    expires_at     INTEGER,
    rotated_at     INTEGER,
    used_at        INTEGER,
    used_from      TEXT,
    revoked_at     INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX token_name ON token (name) WHERE revoked_at IS NULL;

  -- Who has called what; see model/audit.ts. Of what was removed, the head is the last entry's hash.
  CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time     INTEGER NOT NULL,
    name     TEXT NOT NULL,
    route    TEXT NOT NULL,
    status   INTEGER NOT NULL,
    data     TEXT NOT NULL,
    hash     TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_time ON audit (time);
  `,
]

export const schemaVersion = migrations.length

/** Written into the file's header, so that another program's database is not taken for ours. Reads `Dfly`. */
const applicationId = 0x44666c79

const pragma = (database: DatabaseSync, name: string): number => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0)

/** Brings the tables to this version, each change in a transaction of its own. Throws `host` for a file of a newer Dayfly or of another program. */
export const migrate = (database: DatabaseSync, path: string): void => {
  const version = pragma(database, 'user_version')
  const tables = Number(Object.values(database.prepare('SELECT count(*) FROM sqlite_schema').get() ?? {})[0] ?? 0)
  if (tables > 0 && pragma(database, 'application_id') !== applicationId) {
    throw new DayflyError('host', `${path} is a database of another program`, { remedy: 'Point --state-dir at a folder that Dayfly made.' })
  }
  if (version > schemaVersion) {
    throw new DayflyError('host', `the store ${path} was written by a newer Dayfly (schema ${version}, this one knows ${schemaVersion})`, {
      remedy: 'Use that Dayfly again, or move the state folder away to begin with an empty one.',
    })
  }
  for (const [index, change] of migrations.entries()) {
    if (index < version) continue
    database.exec(`BEGIN IMMEDIATE; ${change}; PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${index + 1}; COMMIT`)
  }
}
