-- More than one life of the queue in one file, voids for records whose bytes were lost, and rows whose content was
-- given back because the city holds it for good. Never changed after release; later changes are new files.

-- `record.seq` counts rows over all lives; a position inside a life is `record.seq - first_row + 1`.
CREATE TABLE incarnation (
    first_row   INTEGER PRIMARY KEY CHECK (first_row >= 1),
    name        TEXT    NOT NULL UNIQUE,
    begun_at_ms INTEGER NOT NULL,
    reason      TEXT    NOT NULL CHECK (reason IN ('made', 'copied-disk', 'repaired'))
) STRICT;

INSERT INTO incarnation (first_row, name, begun_at_ms, reason)
SELECT 1, value, 0, 'made' FROM meta WHERE key = 'incarnation';

CREATE TRIGGER incarnation_is_fixed_update BEFORE UPDATE ON incarnation
BEGIN SELECT RAISE(ABORT, 'a life of the queue keeps its name'); END;

CREATE TRIGGER incarnation_is_fixed_delete BEFORE DELETE ON incarnation
BEGIN SELECT RAISE(ABORT, 'a life of the queue keeps its name'); END;

-- Signed statements that close the place of a damaged record. The damaged row stays as it is.
CREATE TABLE void (
    seq         INTEGER PRIMARY KEY REFERENCES record (seq),
    case_id     TEXT    NOT NULL UNIQUE,
    manifest    TEXT    NOT NULL,
    closed_at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER void_is_sealed_update BEFORE UPDATE ON void
BEGIN SELECT RAISE(ABORT, 'a void is never changed'); END;

CREATE TRIGGER void_is_sealed_delete BEFORE DELETE ON void
BEGIN SELECT RAISE(ABORT, 'a void is never removed'); END;

-- Rows whose content was given back, after the city said that they are durable.
CREATE TABLE purged (
    seq          INTEGER PRIMARY KEY REFERENCES record (seq),
    purged_at_ms INTEGER NOT NULL
) STRICT;

CREATE TRIGGER purged_is_kept_update BEFORE UPDATE ON purged
BEGIN SELECT RAISE(ABORT, 'a purged row stays purged'); END;

CREATE TRIGGER purged_is_kept_delete BEFORE DELETE ON purged
BEGIN SELECT RAISE(ABORT, 'a purged row stays purged'); END;

-- The content of a row may be emptied once, when the row is marked as purged; everything else stays for ever.
DROP TRIGGER record_is_sealed_update;

CREATE TRIGGER record_is_sealed_update BEFORE UPDATE ON record
WHEN length(NEW.ciphertext) <> 0
  OR NOT EXISTS (SELECT 1 FROM purged WHERE purged.seq = OLD.seq)
  OR (NEW.seq, NEW.case_id, NEW.kind, NEW.manifest, NEW.manifest_hash, NEW.prev_hash, NEW.sha256,
      NEW.finalised_at_ms, NEW.case_number, NEW.item, NEW.verification)
     IS NOT (OLD.seq, OLD.case_id, OLD.kind, OLD.manifest, OLD.manifest_hash, OLD.prev_hash, OLD.sha256,
      OLD.finalised_at_ms, OLD.case_number, OLD.item, OLD.verification)
BEGIN SELECT RAISE(ABORT, 'a sealed record is never changed'); END;

-- The first record of a life follows nothing.
DROP TRIGGER record_follows_the_last;

CREATE TRIGGER record_follows_the_last BEFORE INSERT ON record
WHEN NEW.seq <> 1 + ifnull((SELECT max(seq) FROM record), 0)
  OR NEW.prev_hash <> CASE
        WHEN EXISTS (SELECT 1 FROM incarnation WHERE first_row = NEW.seq)
        THEN '0000000000000000000000000000000000000000000000000000000000000000'
        ELSE ifnull((SELECT manifest_hash FROM record WHERE seq = NEW.seq - 1), '')
     END
BEGIN SELECT RAISE(ABORT, 'a record follows the last one'); END;
