-- Written by the store of schema version 5 (commit 8b1b57a).
BEGIN TRANSACTION;
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
INSERT INTO "environment" VALUES('eaaaaaaaaaaa','lives','somebody','{"name":"lives","owner":"somebody","labels":{"team":"blue"},"lease":{"ttl":60000,"idle":30000,"retention":2592000000},"workloads":{"main":{"kind":"job","image":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","imageName":"example:1","command":["true","ä\"''"],"env":{"A":"ä"},"user":"","workdir":"/","readOnly":false,"capabilities":[],"limits":{"cpus":1,"memory":536870912,"pids":512,"io":104857600},"egress":[{"cidr":"192.0.2.0/24","port":443}],"runtime":"crun","tty":false,"stdin":false,"stopSignal":"SIGTERM","grace":1000,"logLimit":65536,"secrets":["token"]}}}','running','every instance was started',NULL,1795000000000,NULL,NULL,'a-boot-of-then',5,60005,5);
INSERT INTO "environment" VALUES('ebbbbbbbbbbb','over','somebody','{"name":"over","owner":"somebody","labels":{"team":"blue"},"lease":{"ttl":60000,"idle":30000,"retention":2592000000},"workloads":{"main":{"kind":"job","image":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","imageName":"example:1","command":["true","ä\"''"],"env":{"A":"ä"},"user":"","workdir":"/","readOnly":false,"capabilities":[],"limits":{"cpus":1,"memory":536870912,"pids":512,"io":104857600},"egress":[{"cidr":"192.0.2.0/24","port":443}],"runtime":"crun","tty":false,"stdin":false,"stopSignal":"SIGTERM","grace":1000,"logLimit":65536,"secrets":["token"]}}}','ended','its job is over','completed',1795000004000,1795000009000,1797592009000,'a-boot-of-then',5,60005,5);
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
INSERT INTO "event" VALUES(1,'eaaaaaaaaaaa',1,NULL,1795000001000,'environment.creating','dayfly','dayfly','because','{"name":"lives","owner":"somebody","nested":{"list":[1,2.5,null,true,"ü"]}}','0241fb18f2ac920c331a6ca1068e7646116220da9fc895854359e88a6f3f9437');
INSERT INTO "event" VALUES(2,'eaaaaaaaaaaa',2,'iaaaaaaaaaaa',1795000002000,'instance.pending','dayfly','dayfly','because','{"workload":"main"}','1e373c72f9401113de9fa0b19087c843db61c6cfc7bca2cd708be3109761696c');
INSERT INTO "event" VALUES(3,'eaaaaaaaaaaa',3,'iaaaaaaaaaaa',1795000003000,'instance.running','dayfly','dayfly','because','{"pid":42}','468bc9c96f9f0910eec7fbaa03ca26f408fc5d1473b0b21612b9ea480901b114');
INSERT INTO "event" VALUES(4,'eaaaaaaaaaaa',4,NULL,1795000004000,'environment.running','dayfly','dayfly','because','{}','723158be4c006c6c7d44a6f7fc13b07c0892dd4736ebddb69fa05b6cb9d299ea');
INSERT INTO "event" VALUES(5,'ebbbbbbbbbbb',1,NULL,1795000005000,'environment.creating','dayfly','dayfly','because','{"name":"over","owner":"somebody","nested":{"list":[1,2.5,null,true,"ü"]}}','73f0387339e9880f51b05e40b9df48cffaeea030d2919535f8c655756cc0bf9d');
INSERT INTO "event" VALUES(6,'ebbbbbbbbbbb',2,'ibbbbbbbbbbb',1795000006000,'instance.pending','dayfly','dayfly','because','{"workload":"main"}','440902cf4e3055f97662eca52be8667134dfd185fc0826c749059a59a650b990');
INSERT INTO "event" VALUES(7,'ebbbbbbbbbbb',3,'ibbbbbbbbbbb',1795000007000,'instance.running','dayfly','dayfly','because','{"pid":42}','a5df329a0efe00bad5730511800e0c903537fe4877db3c5f092264dcf6124c20');
INSERT INTO "event" VALUES(8,'ebbbbbbbbbbb',4,NULL,1795000008000,'environment.running','dayfly','dayfly','because','{}','faced21d649fa3724d12e2c22badd9eccb89a600eaa2e5b02e55f057e3afc3c0');
INSERT INTO "event" VALUES(9,'ebbbbbbbbbbb',5,'ibbbbbbbbbbb',1795000009000,'instance.exited','dayfly','dayfly','because','{"code":3}','cce57d620df0cfce6a87e93ef9592041477bcdced730927b10fa8bdef2c51ed5');
INSERT INTO "event" VALUES(10,'ebbbbbbbbbbb',6,NULL,1795000010000,'environment.ended','dayfly','dayfly','because','{"cause":"completed"}','5481d3fe191fa66cfb2a22d46f16426dc467f6e16a827af1c91fb5cc1c19636b');
INSERT INTO "event" VALUES(11,'ebbbbbbbbbbb',7,NULL,1795000011000,'record.sealed','dayfly','dayfly','the environment has ended','{"count":6,"hash":"5481d3fe191fa66cfb2a22d46f16426dc467f6e16a827af1c91fb5cc1c19636b"}','a89d43ab020bdd25fe87836fd224e8edcaeddfe846d1a45accb52765be0c31ea');
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
INSERT INTO "fact" VALUES('slice','3');
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
CREATE TABLE image_package (
    image   INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
    package INTEGER NOT NULL REFERENCES package (id),
    PRIMARY KEY (image, package)
  ) STRICT, WITHOUT ROWID;
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
  , replica INTEGER NOT NULL DEFAULT 1, revision TEXT NOT NULL DEFAULT '', wish TEXT, address TEXT, origin TEXT, earlier INTEGER NOT NULL DEFAULT 0, streak INTEGER NOT NULL DEFAULT 0, past INTEGER NOT NULL DEFAULT 0) STRICT;
INSERT INTO "instance" VALUES('iaaaaaaaaaaa','eaaaaaaaaaaa','main','running','started',1795000001000,1795000002000,42,'prepared',NULL,1,'',NULL,NULL,'{"kind":"job","image":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","stopSignal":"SIGTERM","grace":1000,"cpus":1,"memory":536870912}',0,0,0);
INSERT INTO "instance" VALUES('ibbbbbbbbbbb','ebbbbbbbbbbb','main','removed','asked for',1795000005000,1795000009000,NULL,'cold','{"code":3,"oom":false,"cause":"exit","endedAt":1795000009000,"droppedBytes":0,"droppedLines":0}',1,'',NULL,NULL,'{"kind":"job","image":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","stopSignal":"SIGTERM","grace":1000,"cpus":1,"memory":536870912}',0,0,0);
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
CREATE TABLE record (
    environment TEXT PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    count       INTEGER NOT NULL,
    hash        TEXT NOT NULL,
    sealed      INTEGER NOT NULL
  , signed INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
INSERT INTO "record" VALUES('eaaaaaaaaaaa',4,'723158be4c006c6c7d44a6f7fc13b07c0892dd4736ebddb69fa05b6cb9d299ea',0,0);
INSERT INTO "record" VALUES('ebbbbbbbbbbb',7,'a89d43ab020bdd25fe87836fd224e8edcaeddfe846d1a45accb52765be0c31ea',1,0);
CREATE TABLE record_key (
    id      TEXT PRIMARY KEY,
    public  TEXT NOT NULL,
    made_at INTEGER NOT NULL
  ) STRICT;
CREATE TABLE signature (
    environment TEXT PRIMARY KEY REFERENCES environment (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    envelope    TEXT NOT NULL,
    signed_at   INTEGER NOT NULL
  ) STRICT;
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
CREATE TABLE vulnerability_name (
    name          TEXT NOT NULL,
    vulnerability INTEGER NOT NULL REFERENCES image_vulnerability (id) ON DELETE CASCADE,
    PRIMARY KEY (name, vulnerability)
  ) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX environment_name ON environment (name) WHERE state <> 'ended';
CREATE INDEX environment_expiry ON environment (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX instance_environment ON instance (environment);
CREATE INDEX instance_live ON instance (state) WHERE state IN ('pending', 'created', 'running');
CREATE INDEX event_environment ON event (environment, cursor);
CREATE INDEX instance_present ON instance (environment) WHERE past = 0;
CREATE INDEX instance_held ON instance (environment, origin ->> '$.cpus', origin ->> '$.memory') WHERE state IN ('pending', 'created', 'running');
CREATE INDEX environment_owner ON environment (owner) WHERE state <> 'ended';
CREATE INDEX package_name ON package (name);
CREATE INDEX package_source ON package (source_name);
CREATE INDEX image_package_package ON image_package (package);
CREATE INDEX image_vulnerability_image ON image_vulnerability (image, package);
CREATE INDEX image_vulnerability_package ON image_vulnerability (package);
CREATE INDEX vulnerability_name_vulnerability ON vulnerability_name (vulnerability);
CREATE INDEX instance_image ON instance (origin ->> '$.image') WHERE started_at IS NOT NULL;
CREATE INDEX record_unsigned ON record (environment) WHERE sealed = 1 AND signed = 0;
CREATE INDEX usage_ended ON usage (ended_at);
CREATE INDEX usage_environment ON usage (environment);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('event',11);
COMMIT;
PRAGMA application_id = 1147563129;
PRAGMA user_version = 5;
