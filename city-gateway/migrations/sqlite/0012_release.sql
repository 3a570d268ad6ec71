-- What operators decided about records that are kept aside. Lines are only ever added; the last one counts, and after
-- `released` there is none. A released record lies in the inbox too, under an id of its own.

CREATE TABLE quarantine_decision (
    id INTEGER NOT NULL REFERENCES quarantine (id),
    version INTEGER NOT NULL CHECK (version > 0),
    verdict TEXT NOT NULL,
    operator TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    -- A word and the number of a file or a call.
    reason TEXT NOT NULL,
    reference TEXT NOT NULL,
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER quarantine_decision_stays BEFORE DELETE ON quarantine_decision
BEGIN SELECT raise(ABORT, 'decisions are only ever added'); END;

CREATE TRIGGER quarantine_decision_is_not_changed BEFORE UPDATE ON quarantine_decision
BEGIN SELECT raise(ABORT, 'decisions are only ever added'); END;
