-- What operators decided about records that are kept aside. Lines are only ever added; the last one counts, and after
-- `released` there is none. A released record lies in the inbox too. Whoever decides holds the lock on the row of
-- `quarantine`.

CREATE TABLE quarantine_decision (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    case_id text NOT NULL,
    sha256 text NOT NULL,
    manifest_hash text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    verdict text NOT NULL,
    operator text NOT NULL,
    at_ms bigint NOT NULL,
    -- A word and the number of a file or a call.
    reason text NOT NULL,
    reference text NOT NULL,
    PRIMARY KEY (terminal, incarnation, seq, case_id, sha256, manifest_hash, version)
);
