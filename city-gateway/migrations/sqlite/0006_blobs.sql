-- Blobs: which records name them, which are whole, and how far the others are. Their bytes lie outside.

-- `record` counts over inbox and quarantine, as their ids do. Written in the transaction that accepts.
CREATE TABLE named_blob (
    record INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (record, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX named_blob_by_hash ON named_blob (sha256);

-- Held whole, its hash checked over the bytes as they are kept.
CREATE TABLE whole_blob (
    sha256 TEXT PRIMARY KEY,
    bytes INTEGER NOT NULL,
    -- Who sent it.
    terminal TEXT NOT NULL,
    whole_at_ms INTEGER NOT NULL,
    -- Named by no record for long: its bytes are being removed, and it no longer counts.
    leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX whole_blob_of ON whole_blob (terminal);

-- Begun and not whole yet. `held` bytes are kept, from the start without a gap.
CREATE TABLE blob_upload (
    terminal TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    length INTEGER NOT NULL CHECK (length > 0),
    held INTEGER NOT NULL CHECK (held >= 0 AND held < length),
    touched_at_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, sha256)
) STRICT, WITHOUT ROWID;

-- Where the bytes of an upload lie.
CREATE TABLE blob_piece (
    terminal TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    start INTEGER NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    key TEXT NOT NULL UNIQUE,
    PRIMARY KEY (terminal, sha256, start),
    FOREIGN KEY (terminal, sha256) REFERENCES blob_upload (terminal, sha256)
) STRICT, WITHOUT ROWID;

-- Records of the inbox that wait for blobs before they go to the opener.
CREATE TABLE awaiting_blobs (
    id INTEGER PRIMARY KEY REFERENCES inbox (id),
    since_ms INTEGER NOT NULL,
    alarmed_at_ms INTEGER
) STRICT;
