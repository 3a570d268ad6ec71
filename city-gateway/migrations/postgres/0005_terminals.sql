-- The allow-list: which terminals there are, which certificates they hold, and the vouchers with which they enrol.
-- No row is ever removed: a terminal or a certificate that is no longer wanted is revoked.

CREATE TABLE terminal (
    code text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('active', 'revoked')),
    since_ms bigint NOT NULL
);

CREATE TABLE terminal_certificate (
    terminal text NOT NULL,
    -- SHA-256 of the certificate's DER, hex.
    fingerprint text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'revoked')),
    since_ms bigint NOT NULL,
    -- SubjectPublicKeyInfo, DER. Manifests signed with a former key are still believed.
    public_key bytea NOT NULL,
    not_before_ms bigint NOT NULL,
    not_after_ms bigint NOT NULL,
    listed_at_ms bigint NOT NULL,
    listed_by text NOT NULL,
    certificate bytea NOT NULL,
    PRIMARY KEY (fingerprint)
);

CREATE INDEX terminal_certificate_of ON terminal_certificate (terminal, listed_at_ms);

CREATE TABLE voucher (
    -- SHA-256 over the terminal's code and the voucher; the voucher itself is not kept.
    hash text PRIMARY KEY,
    terminal text NOT NULL,
    issued_at_ms bigint NOT NULL,
    expires_at_ms bigint NOT NULL,
    voided_at_ms bigint,
    used_at_ms bigint,
    used_by_key bytea,
    certificate text,
    CHECK ((used_at_ms IS NULL) = (used_by_key IS NULL) AND (used_at_ms IS NULL) = (certificate IS NULL))
);

CREATE INDEX voucher_unused ON voucher (terminal) WHERE used_at_ms IS NULL AND voided_at_ms IS NULL;

-- What auditors read: written in the transaction of the change itself, never changed.
CREATE TABLE terminal_event (
    id bigint PRIMARY KEY,
    at_ms bigint NOT NULL,
    terminal text NOT NULL,
    event text NOT NULL,
    fingerprint text
);

-- The number of the last event. Whoever changes the list holds the lock on this row from the beginning: changes are
-- rare, and so they happen one after the other, and events become visible in their order.
CREATE TABLE terminal_list (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    events bigint NOT NULL
);

INSERT INTO terminal_list (only_row, events) VALUES (1, 0);
