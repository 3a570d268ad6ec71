-- The outbox: records that a resident finished, sealed and signed. Never changed after release; later changes
-- are new files. Written by the kiosk process only.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    seq             INTEGER PRIMARY KEY CHECK (seq >= 1),
    -- Random, so without an index: one would touch a page of its own at each commit, and only the newest are asked for.
    case_id         TEXT    NOT NULL,
    kind            TEXT    NOT NULL CHECK (kind IN ('case', 'rating')),
    manifest        TEXT    NOT NULL,
    manifest_hash   TEXT    NOT NULL CHECK (length(manifest_hash) = 64),
    prev_hash       TEXT    NOT NULL CHECK (length(prev_hash) = 64),
    sha256          TEXT    NOT NULL CHECK (length(sha256) = 64),
    finalised_at_ms INTEGER NOT NULL,
    ciphertext      BLOB    NOT NULL
) STRICT;

CREATE TABLE blob (
    seq    INTEGER NOT NULL REFERENCES record (seq),
    sha256 TEXT    NOT NULL CHECK (length(sha256) = 64),
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (seq, sha256)
) STRICT, WITHOUT ROWID;

-- What may be known in clear about a case: enough to print again, nothing about the person.
CREATE TABLE stub (
    seq             INTEGER PRIMARY KEY REFERENCES record (seq),
    case_number     TEXT    NOT NULL,
    item            TEXT    NOT NULL,
    verification    TEXT    NOT NULL,
    finalised_at_ms INTEGER NOT NULL,
    print_state     TEXT    NOT NULL DEFAULT 'not-printed'
                    CHECK (print_state IN ('not-printed', 'printing', 'confirmed', 'failed')),
    print_level     INTEGER NOT NULL DEFAULT 0 CHECK (print_level BETWEEN 0 AND 255)
) STRICT;

-- A sealed record is never changed, never removed, and has its place in the chain.
CREATE TRIGGER record_is_sealed_update BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'a sealed record is never changed'); END;

CREATE TRIGGER record_is_sealed_delete BEFORE DELETE ON record
BEGIN SELECT RAISE(ABORT, 'a sealed record is never removed'); END;

CREATE TRIGGER record_follows_the_last BEFORE INSERT ON record
WHEN NEW.seq <> 1 + ifnull((SELECT max(seq) FROM record), 0)
  OR (NEW.seq = 1 AND NEW.prev_hash <> '0000000000000000000000000000000000000000000000000000000000000000')
  OR (NEW.seq > 1 AND NEW.prev_hash <> (SELECT manifest_hash FROM record ORDER BY seq DESC LIMIT 1))
BEGIN SELECT RAISE(ABORT, 'a record follows the last one'); END;

CREATE TRIGGER blob_is_sealed_update BEFORE UPDATE ON blob
BEGIN SELECT RAISE(ABORT, 'a sealed record is never changed'); END;

CREATE TRIGGER blob_is_sealed_delete BEFORE DELETE ON blob
BEGIN SELECT RAISE(ABORT, 'a sealed record is never removed'); END;

CREATE TRIGGER stub_is_sealed_update BEFORE UPDATE OF seq, case_number, item, verification, finalised_at_ms ON stub
BEGIN SELECT RAISE(ABORT, 'only the print state of a stub changes'); END;

CREATE TRIGGER stub_is_sealed_delete BEFORE DELETE ON stub
BEGIN SELECT RAISE(ABORT, 'a stub is never removed'); END;

CREATE TRIGGER meta_is_fixed_update BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'the queue keeps its name'); END;

CREATE TRIGGER meta_is_fixed_delete BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'the queue keeps its name'); END;
