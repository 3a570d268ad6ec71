-- What departments have not been given yet: one row for each case of the inbox, written in the transaction that
-- accepts, taken away when it was relayed.

CREATE TABLE relay_outbox (
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL,
    -- Milliseconds since 1970.
    enqueued INTEGER NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq)
) STRICT, WITHOUT ROWID;

-- What was received before there was a relay is owed as well.
INSERT INTO relay_outbox (terminal, incarnation, seq, enqueued)
SELECT terminal, incarnation, seq, received_at_ms FROM inbox WHERE kind = 'case';
