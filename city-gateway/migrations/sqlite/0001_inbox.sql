-- The inbox: what terminals sent, exactly as they sent it. Rows of `inbox` and `quarantine` are never changed;
-- what the opener found out lies beside them in `outcome`. `id` counts arrivals over both tables.

CREATE TABLE gateway (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    -- Life of this store: a new one says that acknowledged records may be gone.
    epoch TEXT NOT NULL
) STRICT;

CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('case', 'rating')),
    about TEXT,
    case_number TEXT NOT NULL,
    verification TEXT NOT NULL,
    item TEXT NOT NULL,
    item_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    UNIQUE (terminal, incarnation, seq),
    UNIQUE (terminal, case_id)
) STRICT;

CREATE INDEX inbox_verification ON inbox (verification) WHERE kind = 'case';

-- Records kept although another one already has their id or their place. Nothing is refused, nothing overwritten.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('case', 'rating')),
    about TEXT,
    case_number TEXT NOT NULL,
    verification TEXT NOT NULL,
    item TEXT NOT NULL,
    item_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('other_content', 'place_taken', 'other_manifest')),
    manifest TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    UNIQUE (terminal, incarnation, seq, case_id, sha256, manifest_hash)
) STRICT;

CREATE INDEX quarantine_verification ON quarantine (verification) WHERE kind = 'case';

-- The opener's work list, written in the transaction that accepts.
CREATE TABLE to_open (
    id INTEGER PRIMARY KEY REFERENCES inbox (id)
) STRICT;

-- What became of a record. Personal data only masked; the whole of it stays inside the seal.
CREATE TABLE outcome (
    id INTEGER PRIMARY KEY REFERENCES inbox (id),
    state TEXT NOT NULL CHECK (state IN ('opened', 'dead_letter')),
    reason_code TEXT,
    reason_detail TEXT,
    person_name TEXT,
    person_number TEXT,
    person_phone TEXT,
    summary TEXT,
    decided_at_ms INTEGER NOT NULL,
    CHECK ((state = 'dead_letter') = (reason_code IS NOT NULL))
) STRICT;

-- Few rows: only what an operator has to look at.
CREATE INDEX outcome_dead_letter ON outcome (reason_code) WHERE state = 'dead_letter';

-- How far each queue is known to be received without a gap: a hint that keeps hello cheap, never ahead of the rows.
CREATE TABLE progress (
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    contiguous INTEGER NOT NULL,
    PRIMARY KEY (terminal, incarnation)
) STRICT, WITHOUT ROWID;
