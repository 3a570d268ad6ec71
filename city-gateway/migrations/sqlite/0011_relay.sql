-- The relay: who is to get a case of `relay_outbox`, who is at it until when, and how often it was tried. A row leaves
-- the table when its department has taken the case; a dead letter stays until an operator releases it.

-- `unrouted` waits for the opener, and then for its department's name; `routed` is that department's.
ALTER TABLE relay_outbox ADD COLUMN state TEXT NOT NULL DEFAULT 'unrouted'
    CHECK (state IN ('unrouted', 'routed', 'dead_letter'));
ALTER TABLE relay_outbox ADD COLUMN department TEXT;
-- Place in the department's pull feed.
ALTER TABLE relay_outbox ADD COLUMN number INTEGER;
-- How often it was handed out, and how often the department refused it.
ALTER TABLE relay_outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relay_outbox ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- Milliseconds since 1970. A moment that lies further ahead than any wait may last is of a clock that was wrong.
ALTER TABLE relay_outbox ADD COLUMN retry_at_ms INTEGER;
ALTER TABLE relay_outbox ADD COLUMN lease TEXT;
ALTER TABLE relay_outbox ADD COLUMN leased_until_ms INTEGER;
ALTER TABLE relay_outbox ADD COLUMN reason_code TEXT;
ALTER TABLE relay_outbox ADD COLUMN reason_detail TEXT;
ALTER TABLE relay_outbox ADD COLUMN dead_at_ms INTEGER;

CREATE INDEX relay_unrouted ON relay_outbox (enqueued, terminal, incarnation, seq) WHERE state = 'unrouted';
CREATE INDEX relay_owed ON relay_outbox (department, enqueued, terminal, incarnation, seq) WHERE state = 'routed';
CREATE INDEX relay_feed ON relay_outbox (department, number) WHERE state = 'routed';
CREATE INDEX relay_dead ON relay_outbox (enqueued, terminal, incarnation, seq) WHERE state = 'dead_letter';
CREATE INDEX relay_leased ON relay_outbox (lease) WHERE lease IS NOT NULL;

-- How many cases of each department have a number.
CREATE TABLE relay_feed_head (
    department TEXT PRIMARY KEY,
    numbered INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What departments have taken: one row for each case that left `relay_outbox`.
CREATE TABLE relayed (
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    department TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    -- Milliseconds since 1970.
    enqueued INTEGER NOT NULL,
    relayed_at_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq)
) STRICT, WITHOUT ROWID;
