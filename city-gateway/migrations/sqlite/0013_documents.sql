-- What the city issued: enough to say later that it did. Nothing of what a document says and nobody's name: the hash is
-- over the signed stamp, which cannot be guessed from what may stand in one.

CREATE TABLE issued_document (
    number TEXT PRIMARY KEY,
    item TEXT NOT NULL,
    -- SHA-256 of the stamp, hex.
    stamp_sha256 TEXT NOT NULL,
    -- Milliseconds since 1970.
    issued_at_ms INTEGER NOT NULL,
    ends_at_ms INTEGER NOT NULL,
    revoked_at_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX issued_document_ended ON issued_document (ends_at_ms);
