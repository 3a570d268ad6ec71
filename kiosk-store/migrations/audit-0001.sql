-- One audit chain of one process. Never changed after release; later changes are new files.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    seq    INTEGER PRIMARY KEY CHECK (seq >= 1),
    at_ms  INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    fields TEXT    NOT NULL,
    hash   TEXT    NOT NULL CHECK (length(hash) = 64)
) STRICT;

CREATE TRIGGER event_is_fixed_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'an audit event is never changed'); END;

CREATE TRIGGER event_is_fixed_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'an audit event is never removed'); END;

CREATE TRIGGER event_follows_the_last BEFORE INSERT ON event
WHEN NEW.seq <> 1 + ifnull((SELECT max(seq) FROM event), 0)
BEGIN SELECT RAISE(ABORT, 'an audit event follows the last one'); END;

CREATE TRIGGER meta_is_fixed_update BEFORE UPDATE ON meta
BEGIN SELECT RAISE(ABORT, 'a chain keeps its name'); END;

CREATE TRIGGER meta_is_fixed_delete BEFORE DELETE ON meta
BEGIN SELECT RAISE(ABORT, 'a chain keeps its name'); END;
