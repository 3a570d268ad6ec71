-- The operators' side: accounts, sessions, the steps of cases, the audit chain. Where a case stands lies with its
-- record, in `handling`.

CREATE TABLE operator_account (
    name text PRIMARY KEY,
    role text NOT NULL,
    department text,
    -- Argon2id, as a PHC string.
    password_hash text NOT NULL,
    code_secret bytea NOT NULL,
    -- Time step of the last code that was used; a code works once.
    code_step bigint NOT NULL DEFAULT 0,
    must_change boolean NOT NULL,
    disabled boolean NOT NULL DEFAULT false,
    version bigint NOT NULL DEFAULT 1,
    created_at_ms bigint NOT NULL,
    CHECK ((role = 'department_worker') = (department IS NOT NULL))
);

CREATE TABLE operator_session (
    -- Only the hash: whoever reads the database cannot take over a session.
    token_hash text PRIMARY KEY,
    operator text NOT NULL,
    operator_version bigint NOT NULL,
    form_token text NOT NULL,
    created_at_ms bigint NOT NULL,
    seen_at_ms bigint NOT NULL
);

CREATE INDEX operator_session_operator ON operator_session (operator, created_at_ms);
CREATE INDEX operator_session_seen ON operator_session (seen_at_ms);

CREATE INDEX handling_case ON handling (number) WHERE case_state IS NOT NULL;
CREATE INDEX handling_case_state ON handling (case_state, case_item, number) WHERE case_state IS NOT NULL;
CREATE INDEX handling_case_item ON handling (case_item, number) WHERE case_state IS NOT NULL;
CREATE INDEX handling_finished ON handling (case_changed_at_ms)
    WHERE case_state IN ('closed', 'returned') AND erased_at_ms IS NULL;
CREATE INDEX handling_undelivered ON handling (decided_at_ms)
    WHERE state = 'dead_letter' AND erased_at_ms IS NULL;
CREATE INDEX quarantine_kept ON quarantine (received_at_ms) WHERE erased_at_ms IS NULL;

-- Every step a case made. Lines are only ever added; of a deleted case the note goes, and nothing else.
CREATE TABLE case_step (
    terminal text NOT NULL,
    case_id text NOT NULL,
    version bigint NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    operator text NOT NULL,
    at_ms bigint NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (terminal, case_id, version)
);

-- The audit chain: each hash covers the line and the hash before it.
CREATE TABLE city_audit (
    seq bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    actor text NOT NULL,
    address text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    hash text NOT NULL
);

-- Both ends of the chain. Whoever adds a line holds the lock on this row until the line is committed.
CREATE TABLE city_audit_head (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    base_seq bigint NOT NULL,
    base_hash text NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL
);

INSERT INTO city_audit_head (only_row, base_seq, base_hash, seq, hash)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000',
        0, '0000000000000000000000000000000000000000000000000000000000000000');
