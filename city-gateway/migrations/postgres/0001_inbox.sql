-- The inbox for a city: what terminals sent, exactly as they sent it. Rows of `inbox` are never changed, except that
-- their content is deleted by rule; what is being done with a record lies beside it in `handling`.
--
-- Every key starts with the terminal, so each table can be hash-partitioned or sharded by it: one accept touches
-- one shard. There is no unique index over all terminals, no sequence, no foreign key across tables, no trigger and
-- no extension, so that an engine that only speaks PostgreSQL's language can take over.

CREATE TABLE gateway (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    -- Life of this store: a new one says that acknowledged records may be gone.
    epoch text NOT NULL,
    -- Which server and which of its histories this life belongs to, where an engine can tell. Another one was put
    -- back from a copy, or promoted.
    history text,
    -- How many arrivals have a number (see `handling.number`).
    numbered bigint NOT NULL DEFAULT 0
);

CREATE TABLE inbox (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    case_id text NOT NULL,
    kind text NOT NULL,
    about text,
    case_number text NOT NULL,
    verification text NOT NULL,
    item text NOT NULL,
    item_version bigint NOT NULL,
    sha256 text NOT NULL,
    manifest_hash text NOT NULL,
    received_at_ms bigint NOT NULL,
    manifest text NOT NULL,
    ciphertext bytea NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq),
    UNIQUE (terminal, case_id)
);

-- Words such as `kind` and `reason` are checked by the gateway alone, so that a new one needs no new table.

CREATE INDEX inbox_verification ON inbox (verification) WHERE kind = 'case';
CREATE INDEX inbox_case_number ON inbox (case_number) WHERE kind = 'case';

-- Records kept although another one already has their id or their place. Nothing is refused, nothing overwritten.
CREATE TABLE quarantine (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    case_id text NOT NULL,
    kind text NOT NULL,
    about text,
    case_number text NOT NULL,
    verification text NOT NULL,
    item text NOT NULL,
    item_version bigint NOT NULL,
    sha256 text NOT NULL,
    manifest_hash text NOT NULL,
    received_at_ms bigint NOT NULL,
    manifest text NOT NULL,
    ciphertext bytea NOT NULL,
    reason text NOT NULL,
    number bigint,
    -- When and by which rule its content was deleted.
    erased_at_ms bigint,
    erased_rule text,
    PRIMARY KEY (terminal, incarnation, seq, case_id, sha256, manifest_hash)
);

CREATE INDEX quarantine_verification ON quarantine (verification) WHERE kind = 'case';
CREATE INDEX quarantine_case_number ON quarantine (case_number) WHERE kind = 'case';
CREATE INDEX quarantine_number ON quarantine (number) WHERE number IS NOT NULL;
CREATE INDEX quarantine_unnumbered ON quarantine (received_at_ms, terminal, incarnation, seq) WHERE number IS NULL;

-- What is being done with a record of the inbox, written in the transaction that accepts: whether it was opened,
-- by whom it is being opened until when, what was found. Personal data only masked; the whole stays in the seal.
CREATE TABLE handling (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    received_at_ms bigint NOT NULL,
    -- Place in the pages. Given after the commit, under one row's lock, so that numbers become visible in their own
    -- order and a reader who goes on after the last number misses nothing. A sequence could not promise that.
    number bigint,
    -- `incomplete` waits for blobs and is not given to the opener.
    state text NOT NULL DEFAULT 'received' CHECK (state IN ('incomplete', 'received', 'opened', 'dead_letter')),
    waiting_since_ms bigint,
    alarmed_at_ms bigint,
    -- The opener's lease, by the database's clock.
    lease text,
    leased_until timestamptz,
    reason_code text,
    reason_detail text,
    person_name text,
    person_number text,
    person_phone text,
    summary text,
    decided_at_ms bigint,
    -- Where an opened case stands with its department; nothing for all else.
    case_item text,
    case_state text,
    case_version bigint,
    case_changed_at_ms bigint,
    -- When and by which rule its content was deleted.
    erased_at_ms bigint,
    erased_rule text,
    PRIMARY KEY (terminal, incarnation, seq),
    CHECK ((state = 'dead_letter') = (reason_code IS NOT NULL))
);

CREATE INDEX handling_waiting ON handling (received_at_ms, terminal, incarnation, seq) WHERE state = 'received';
CREATE INDEX handling_incomplete ON handling (waiting_since_ms, terminal, incarnation, seq)
    WHERE state = 'incomplete';
CREATE INDEX handling_dead_letter ON handling (reason_code) WHERE state = 'dead_letter';
CREATE INDEX handling_number ON handling (number) WHERE number IS NOT NULL;
CREATE INDEX handling_unnumbered ON handling (received_at_ms, terminal, incarnation, seq) WHERE number IS NULL;

-- How far each queue is known to be received without a gap: a hint that keeps hello cheap, never ahead of the rows.
CREATE TABLE progress (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    contiguous bigint NOT NULL,
    PRIMARY KEY (terminal, incarnation)
);

-- What departments have not been given yet: one row for each case of the inbox, written in the transaction that
-- accepts, taken away when it was relayed.
CREATE TABLE relay_outbox (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    -- Milliseconds since 1970.
    enqueued bigint NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq)
);
