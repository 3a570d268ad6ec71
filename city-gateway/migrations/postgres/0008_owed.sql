-- What departments are owed is written when a case is opened, no longer when it is accepted.

-- True until then. A gateway of before, which opens what a newer one accepted, leaves it true: the newer ones owe it then.
ALTER TABLE handling ADD COLUMN to_owe boolean;

CREATE INDEX handling_to_owe ON handling (received_at_ms, terminal, incarnation, seq) WHERE to_owe AND state = 'opened';
