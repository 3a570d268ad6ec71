-- What the city knows of each life of each terminal's queue, beside its records.

CREATE TABLE queue_life (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    -- Continuity: the token the next hello should say, and the one before, which it says when an answer was lost.
    token text NOT NULL,
    token_before text,
    finalised_seq bigint NOT NULL,
    head_hash text,
    tpm_counter bigint,
    boot_id text NOT NULL,
    monotonic_ms bigint NOT NULL,
    -- Doubted once: whoever speaks under this name is asked to begin a new life.
    ended boolean NOT NULL,
    heard_at_ms bigint NOT NULL,
    PRIMARY KEY (terminal, incarnation)
);

-- The last word of each terminal about itself, with the city's count beside it. Whoever hears a terminal holds the
-- lock on its row, so that two gateways hear it one after the other.
CREATE TABLE terminal_word (
    terminal text PRIMARY KEY,
    incarnation text NOT NULL,
    heard_at_ms bigint NOT NULL,
    agent_version text NOT NULL,
    catalog_version text,
    oldest_unacked_age_s bigint,
    disk_used_percent bigint,
    issued bigint,
    acknowledged bigint,
    waiting bigint,
    side_lane bigint,
    voided bigint,
    waiting_bytes bigint,
    -- Places the city holds of this terminal, over all lives.
    received bigint,
    -- Hellos in a row whose books did not agree with the city's.
    disagreements bigint NOT NULL DEFAULT 0
);

-- Up to here a queue outlives the loss of the database.
CREATE TABLE durable (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    PRIMARY KEY (terminal, incarnation)
);
