-- The relay: who is to get a case of `relay_outbox`, who is at it until when, and how often it was tried. A row leaves
-- the table when its department has taken the case; a dead letter stays until an operator releases it.

ALTER TABLE relay_outbox
    -- `unrouted` waits for the opener, and then for its department's name; `routed` is that department's.
    ADD COLUMN state text NOT NULL DEFAULT 'unrouted',
    ADD COLUMN department text,
    -- Place in the department's pull feed. Given after the commit, under the lock on the row of `relay_feed_head`.
    ADD COLUMN number bigint,
    -- How often it was handed out, and how often the department refused it.
    ADD COLUMN attempts bigint NOT NULL DEFAULT 0,
    ADD COLUMN refusals bigint NOT NULL DEFAULT 0,
    -- By the database's clock.
    ADD COLUMN retry_at timestamptz,
    ADD COLUMN lease text,
    ADD COLUMN leased_until timestamptz,
    ADD COLUMN reason_code text,
    ADD COLUMN reason_detail text,
    ADD COLUMN dead_at_ms bigint;

CREATE INDEX relay_unrouted ON relay_outbox (enqueued, terminal, incarnation, seq) WHERE state = 'unrouted';
CREATE INDEX relay_owed ON relay_outbox (department, enqueued, terminal, incarnation, seq) WHERE state = 'routed';
CREATE INDEX relay_feed ON relay_outbox (department, number) WHERE state = 'routed';
CREATE INDEX relay_dead ON relay_outbox (enqueued, terminal, incarnation, seq) WHERE state = 'dead_letter';
CREATE INDEX relay_leased ON relay_outbox (lease) WHERE lease IS NOT NULL;

-- How many cases of each department have a number. Whoever gives numbers holds the lock on its row until they are
-- committed: whoever sees a number sees all lower ones.
CREATE TABLE relay_feed_head (
    department text PRIMARY KEY,
    numbered bigint NOT NULL
);

-- What departments have taken: one row for each case that left `relay_outbox`.
CREATE TABLE relayed (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    department text NOT NULL,
    attempts bigint NOT NULL,
    -- Milliseconds since 1970.
    enqueued bigint NOT NULL,
    relayed_at_ms bigint NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq)
);
