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

-- Two more reasons to keep a record aside. A CHECK cannot be changed in place, so the table is written anew.
CREATE TABLE quarantine_anew (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('case', 'rating')),
    about TEXT,
    case_number TEXT NOT NULL,
    verification TEXT NOT NULL,
    item TEXT NOT NULL,
    item_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL
        CHECK (reason IN ('other_content', 'place_taken', 'other_manifest', 'revoked', 'unlisted')),
    manifest TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    UNIQUE (terminal, incarnation, seq, case_id, sha256, manifest_hash)
) STRICT;

INSERT INTO quarantine_anew (id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                             item_version, sha256, manifest_hash, received_at_ms, reason, manifest, ciphertext)
SELECT id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
       item_version, sha256, manifest_hash, received_at_ms, reason, manifest, ciphertext
FROM quarantine;

DROP TABLE quarantine;
ALTER TABLE quarantine_anew RENAME TO quarantine;
CREATE INDEX quarantine_verification ON quarantine (verification) WHERE kind = 'case';
