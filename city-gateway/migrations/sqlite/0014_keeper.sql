-- Keepers of the places where terminals stand, and the calls for them. A CHECK cannot be changed in place, so the table
-- of accounts is written anew; the word for a role is checked by the gateway alone from now on.

CREATE TABLE operator_anew (
    name TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    department TEXT,
    -- Codes of the terminals that a site keeper keeps, with a space between two.
    sites TEXT NOT NULL DEFAULT '',
    -- Argon2id, as a PHC string.
    password_hash TEXT NOT NULL,
    code_secret BLOB NOT NULL,
    -- Time step of the last code that was used; a code works once.
    code_step INTEGER NOT NULL DEFAULT 0,
    must_change INTEGER NOT NULL,
    disabled INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    created_at_ms INTEGER NOT NULL,
    CHECK ((role = 'department_worker') = (department IS NOT NULL)),
    CHECK ((role = 'site_keeper') = (sites != ''))
) STRICT, WITHOUT ROWID;

INSERT INTO operator_anew (name, role, department, password_hash, code_secret, code_step, must_change, disabled,
                           version, created_at_ms)
SELECT name, role, department, password_hash, code_secret, code_step, must_change, disabled, version, created_at_ms
FROM operator;

DROP TABLE operator;
ALTER TABLE operator_anew RENAME TO operator;

CREATE TABLE keeper_call (
    terminal TEXT NOT NULL,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    page TEXT NOT NULL,
    item TEXT NOT NULL,
    language TEXT NOT NULL,
    theme TEXT NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    heard_at_ms INTEGER,
    answered_by TEXT,
    answered_at_ms INTEGER,
    ended_at_ms INTEGER,
    PRIMARY KEY (terminal, name),
    CHECK ((answered_by IS NULL) = (answered_at_ms IS NULL))
) STRICT, WITHOUT ROWID;

-- Of one terminal at most one is open.
CREATE UNIQUE INDEX keeper_call_open ON keeper_call (terminal) WHERE ended_at_ms IS NULL;
CREATE INDEX keeper_call_opened ON keeper_call (opened_at_ms);
