-- What the city knows of each life of each terminal's queue, beside its records.

CREATE TABLE queue_life (
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    -- Continuity: the token the next hello should say, and the one before, which it says when an answer was lost.
    token TEXT NOT NULL,
    token_before TEXT,
    finalised_seq INTEGER NOT NULL,
    head_hash TEXT,
    tpm_counter INTEGER,
    boot_id TEXT NOT NULL,
    monotonic_ms INTEGER NOT NULL,
    -- Doubted once: whoever speaks under this name is asked to begin a new life.
    ended INTEGER NOT NULL CHECK (ended IN (0, 1)),
    heard_at_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, incarnation)
) STRICT, WITHOUT ROWID;

-- The last word of each terminal about itself, with the city's count beside it.
CREATE TABLE terminal_word (
    terminal TEXT PRIMARY KEY,
    incarnation TEXT NOT NULL,
    heard_at_ms INTEGER NOT NULL,
    agent_version TEXT NOT NULL,
    catalog_version TEXT,
    oldest_unacked_age_s INTEGER,
    disk_used_percent INTEGER,
    issued INTEGER,
    acknowledged INTEGER,
    waiting INTEGER,
    side_lane INTEGER,
    voided INTEGER,
    waiting_bytes INTEGER,
    -- Places the city holds of this terminal, over all lives.
    received INTEGER,
    -- Hellos in a row whose books did not agree with the city's.
    disagreements INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Up to here a queue outlives the loss of the machine.
CREATE TABLE durable (
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    PRIMARY KEY (terminal, incarnation)
) STRICT, WITHOUT ROWID;
