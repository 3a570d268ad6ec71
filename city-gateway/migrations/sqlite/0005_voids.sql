-- A void closes a place whose record was lost at the terminal. The word for a kind, and the reason why something is
-- kept aside, are checked by the gateway alone from now on: a CHECK cannot be changed in place, and every new word
-- would mean writing the largest tables anew. All rows are kept. Live questions name a case by its number, hence the index.

CREATE TABLE inbox_anew (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT,
    case_number TEXT NOT NULL,
    verification TEXT NOT NULL,
    item TEXT NOT NULL,
    item_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    manifest TEXT NOT NULL,
    ciphertext BLOB NOT NULL,
    UNIQUE (terminal, incarnation, seq),
    UNIQUE (terminal, case_id)
) STRICT;

INSERT INTO inbox_anew (id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
                        item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext)
SELECT id, terminal, incarnation, seq, case_id, kind, about, case_number, verification, item,
       item_version, sha256, manifest_hash, received_at_ms, manifest, ciphertext
FROM inbox;

DROP TABLE inbox;
ALTER TABLE inbox_anew RENAME TO inbox;
CREATE INDEX inbox_verification ON inbox (verification) WHERE kind = 'case';
CREATE INDEX inbox_case_number ON inbox (case_number) WHERE kind = 'case';

CREATE TABLE quarantine_anew (
    id INTEGER PRIMARY KEY,
    terminal TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (seq > 0),
    case_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    about TEXT,
    case_number TEXT NOT NULL,
    verification TEXT NOT NULL,
    item TEXT NOT NULL,
    item_version INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    manifest_hash TEXT NOT NULL,
    received_at_ms INTEGER NOT NULL,
    reason TEXT NOT NULL,
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
CREATE INDEX quarantine_case_number ON quarantine (case_number) WHERE kind = 'case';
