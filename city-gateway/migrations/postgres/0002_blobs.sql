-- Blobs: which records name them, which are whole, and how far the others are. Their bytes lie outside.

-- Written in the transaction that accepts.
CREATE TABLE named_blob (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    -- Which record of this place: empty for the one in the inbox, the manifest's hash for one that is kept aside.
    aside text NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq, aside, sha256)
);

CREATE INDEX named_blob_by_hash ON named_blob (sha256);

-- Held whole, its hash checked over the bytes as they are kept. The one table that is not led by a terminal: a blob
-- is the same whoever sends it.
CREATE TABLE whole_blob (
    sha256 text PRIMARY KEY,
    bytes bigint NOT NULL,
    -- Who sent it.
    terminal text NOT NULL,
    whole_at_ms bigint NOT NULL,
    -- 0: counts. 1: seems to be named by no record, and does not count until that was looked at once more.
    -- 2: its bytes are being removed.
    leaving integer NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1, 2)),
    -- Which gateway removes its bytes, since when by the database's clock. Two must not: the slower one would remove
    -- what was sent anew.
    sweeper text,
    swept_since timestamptz
);

CREATE INDEX whole_blob_of ON whole_blob (terminal);
CREATE INDEX whole_blob_leaving ON whole_blob (sha256) WHERE leaving > 0;

-- Begun and not whole yet. `held` bytes are kept, from the start without a gap. Whoever changes an upload or its
-- pieces holds the lock on its row.
CREATE TABLE blob_upload (
    terminal text NOT NULL,
    sha256 text NOT NULL,
    length bigint NOT NULL CHECK (length > 0),
    held bigint NOT NULL CHECK (held >= 0 AND held < length),
    touched_at_ms bigint NOT NULL,
    PRIMARY KEY (terminal, sha256)
);

CREATE INDEX blob_upload_touched ON blob_upload (touched_at_ms);

-- Where the bytes of an upload lie.
CREATE TABLE blob_piece (
    terminal text NOT NULL,
    sha256 text NOT NULL,
    start bigint NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    key text NOT NULL,
    PRIMARY KEY (terminal, sha256, start)
);

CREATE INDEX blob_piece_key ON blob_piece (key);
