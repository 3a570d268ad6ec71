-- Keepers of the places where terminals stand, and the calls for them.

-- Codes of the terminals that a site keeper keeps, with a space between two.
ALTER TABLE operator_account ADD COLUMN sites text NOT NULL DEFAULT '';

CREATE TABLE keeper_call (
    terminal text NOT NULL,
    name text NOT NULL,
    place text NOT NULL,
    page text NOT NULL,
    item text NOT NULL,
    language text NOT NULL,
    theme text NOT NULL,
    opened_at_ms bigint NOT NULL,
    heard_at_ms bigint,
    answered_by text,
    answered_at_ms bigint,
    ended_at_ms bigint,
    PRIMARY KEY (terminal, name),
    CHECK ((answered_by IS NULL) = (answered_at_ms IS NULL))
);

-- Of one terminal at most one is open, whichever gateways it asks.
CREATE UNIQUE INDEX keeper_call_open ON keeper_call (terminal) WHERE ended_at_ms IS NULL;
CREATE INDEX keeper_call_opened ON keeper_call (opened_at_ms);
