-- The allow-list: which terminals there are, which certificates they hold, and the vouchers with which they enrol.
-- No row is ever removed: a terminal or a certificate that is no longer wanted is revoked.

CREATE TABLE terminal (
    code TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE terminal_certificate (
    -- SHA-256 of the certificate's DER, hex.
    fingerprint TEXT PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminal (code),
    state TEXT NOT NULL CHECK (state IN ('active', 'revoked')),
    since_ms INTEGER NOT NULL,
    -- SubjectPublicKeyInfo, DER. Manifests signed with a former key are still believed.
    public_key BLOB NOT NULL,
    not_before_ms INTEGER NOT NULL,
    not_after_ms INTEGER NOT NULL,
    listed_at_ms INTEGER NOT NULL,
    listed_by TEXT NOT NULL CHECK (listed_by IN ('voucher', 'renewal', 'first_sight')),
    certificate BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX terminal_certificate_of ON terminal_certificate (terminal, listed_at_ms);

CREATE TABLE voucher (
    -- SHA-256 over the terminal's code and the voucher; the voucher itself is not kept.
    hash TEXT PRIMARY KEY,
    terminal TEXT NOT NULL,
    issued_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    voided_at_ms INTEGER,
    used_at_ms INTEGER,
    used_by_key BLOB,
    certificate TEXT REFERENCES terminal_certificate (fingerprint),
    CHECK ((used_at_ms IS NULL) = (used_by_key IS NULL) AND (used_at_ms IS NULL) = (certificate IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX voucher_unused ON voucher (terminal) WHERE used_at_ms IS NULL AND voided_at_ms IS NULL;

-- What auditors read: written in the transaction of the change itself, never changed.
CREATE TABLE terminal_event (
    id INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    terminal TEXT NOT NULL,
    event TEXT NOT NULL,
    fingerprint TEXT
) STRICT;

CREATE TRIGGER terminal_event_is_fixed_update BEFORE UPDATE ON terminal_event
BEGIN SELECT raise(ABORT, 'events are never changed'); END;

CREATE TRIGGER terminal_event_is_fixed_delete BEFORE DELETE ON terminal_event
BEGIN SELECT raise(ABORT, 'events are never removed'); END;
