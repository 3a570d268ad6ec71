-- A receipt says whether the city also holds every blob of the record; until it does, they are still on their way.
-- Never changed after release; later changes are new files.

ALTER TABLE acknowledgement ADD COLUMN complete INTEGER NOT NULL DEFAULT 1 CHECK (complete IN (0, 1));

CREATE INDEX acknowledgement_incomplete ON acknowledgement (incarnation, seq) WHERE complete = 0;

-- How far each life of the queue is safe even against the loss of the city's machine, and in which life of the city's
-- store that was said.
CREATE TABLE durable (
    incarnation TEXT    PRIMARY KEY,
    seq         INTEGER NOT NULL CHECK (seq >= 0),
    epoch       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
