-- The operators' side: accounts, sessions, the life of cases, the audit chain, and what was deleted by rule.

CREATE TABLE operator (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('administrator', 'auditor', 'department_worker', 'support')),
    department TEXT,
    -- Argon2id, as a PHC string.
    password_hash TEXT NOT NULL,
    code_secret BLOB NOT NULL,
    -- Time step of the last code that was used; a code works once.
    code_step INTEGER NOT NULL DEFAULT 0,
    must_change INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    created_at_ms INTEGER NOT NULL,
    CHECK ((role = 'department_worker') = (department IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE operator_session (
    -- Only the hash: whoever reads the database cannot take over a session.
    token_hash TEXT PRIMARY KEY,
    operator TEXT NOT NULL REFERENCES operator (name),
    operator_version INTEGER NOT NULL,
    form_token TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_session_operator ON operator_session (operator, created_at_ms);
CREATE INDEX operator_session_seen ON operator_session (seen_at_ms);

-- Where each opened case stands. The row is written with the outcome, so that lists need not look at every record.
CREATE TABLE case_progress (
    id INTEGER PRIMARY KEY REFERENCES inbox (id),
    terminal TEXT NOT NULL,
    case_id TEXT NOT NULL,
    item TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('pre_review', 'accepted', 'supplement_requested', 'returned', 'closed')),
    version INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL,
    UNIQUE (terminal, case_id)
) STRICT;

CREATE INDEX case_progress_state ON case_progress (state, item, id);
CREATE INDEX case_progress_item ON case_progress (item, id);
CREATE INDEX case_progress_changed ON case_progress (state, changed_at_ms);

CREATE TRIGGER case_is_opened AFTER INSERT ON outcome WHEN NEW.state = 'opened'
BEGIN
    INSERT INTO case_progress (id, terminal, case_id, item, received_at_ms, state, version, changed_at_ms)
    SELECT id, terminal, case_id, item, received_at_ms, 'pre_review', 0, NEW.decided_at_ms
    FROM inbox WHERE id = NEW.id AND kind = 'case'
    ON CONFLICT DO NOTHING;
END;

INSERT INTO case_progress (id, terminal, case_id, item, received_at_ms, state, version, changed_at_ms)
SELECT i.id, i.terminal, i.case_id, i.item, i.received_at_ms, 'pre_review', 0, o.decided_at_ms
FROM inbox i JOIN outcome o ON o.id = i.id WHERE i.kind = 'case' AND o.state = 'opened';

-- Every step a case made. Lines are only ever added; of a deleted case the note goes, and nothing else.
CREATE TABLE case_step (
    terminal TEXT NOT NULL,
    case_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    operator TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (terminal, case_id, version),
    FOREIGN KEY (terminal, case_id) REFERENCES case_progress (terminal, case_id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER case_step_stays BEFORE DELETE ON case_step
BEGIN
    SELECT raise(ABORT, 'the history of a case is only ever added to');
END;

CREATE TRIGGER case_step_is_not_changed BEFORE UPDATE ON case_step
WHEN NEW.note != '' OR (NEW.terminal, NEW.case_id, NEW.version, NEW.from_state, NEW.to_state, NEW.operator,
                        NEW.at_ms, NEW.reason)
    IS NOT (OLD.terminal, OLD.case_id, OLD.version, OLD.from_state, OLD.to_state, OLD.operator,
            OLD.at_ms, OLD.reason)
BEGIN
    SELECT raise(ABORT, 'the history of a case is only ever added to');
END;

-- The audit chain: each hash covers the line and the hash before it.
CREATE TABLE city_audit (
    seq INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    actor TEXT NOT NULL,
    address TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Both ends of the chain. Only what lies before the base may be removed.
CREATE TABLE city_audit_head (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    base_seq INTEGER NOT NULL,
    base_hash TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;

INSERT INTO city_audit_head (only_row, base_seq, base_hash, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000',
        0, '0000000000000000000000000000000000000000000000000000000000000000');

CREATE TRIGGER city_audit_is_not_changed BEFORE UPDATE ON city_audit
BEGIN
    SELECT raise(ABORT, 'audit lines are only ever added');
END;

CREATE TRIGGER city_audit_stays BEFORE DELETE ON city_audit
WHEN OLD.seq > (SELECT base_seq FROM city_audit_head)
BEGIN
    SELECT raise(ABORT, 'audit lines are only ever added');
END;

-- Records whose content was deleted by rule. `id` counts arrivals over inbox and quarantine.
CREATE TABLE erased (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    rule TEXT NOT NULL CHECK (rule IN ('finished_case', 'dead_letter', 'quarantine'))
) STRICT;
