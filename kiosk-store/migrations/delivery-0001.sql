-- What the city has acknowledged, and what is to be tried again. Never changed after release; later changes are new
-- files. Written by the sync agent only.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- A row stands here only on the strength of a receipt whose signature was verified; the receipt is kept as proof.
CREATE TABLE acknowledgement (
    incarnation TEXT    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    status      TEXT    NOT NULL CHECK (status IN ('accepted', 'conflict-recorded')),
    at_ms       INTEGER NOT NULL,
    receipt     TEXT    NOT NULL,
    PRIMARY KEY (incarnation, seq)
) STRICT, WITHOUT ROWID;

-- Receipts of an earlier life of the city's store that did not survive there. Kept as proof, no longer counted.
CREATE TABLE former_acknowledgement (
    id           INTEGER PRIMARY KEY,
    incarnation  TEXT    NOT NULL,
    seq          INTEGER NOT NULL,
    status       TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    receipt      TEXT    NOT NULL,
    forgotten_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE attempt (
    incarnation     TEXT    NOT NULL,
    seq             INTEGER NOT NULL CHECK (seq >= 1),
    failures        INTEGER NOT NULL,
    next_attempt_ms INTEGER NOT NULL,
    side_lane       INTEGER NOT NULL CHECK (side_lane IN (0, 1)),
    last_error      TEXT    NOT NULL CHECK (length(last_error) <= 40),
    PRIMARY KEY (incarnation, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER former_is_proof_update BEFORE UPDATE ON former_acknowledgement
BEGIN SELECT RAISE(ABORT, 'a proof is never changed'); END;

CREATE TRIGGER former_is_proof_delete BEFORE DELETE ON former_acknowledgement
BEGIN SELECT RAISE(ABORT, 'a proof is never removed'); END;
