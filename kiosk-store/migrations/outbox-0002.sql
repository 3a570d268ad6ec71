-- What may be known in clear about a case moves beside its record, so that a commit writes one page less. Only the
-- print state changes later, so only it keeps a table, which is not written before somebody prints: a case without a
-- row there is not printed. Never changed after release; later changes are new files.

ALTER TABLE record ADD COLUMN case_number TEXT;
ALTER TABLE record ADD COLUMN item TEXT;
ALTER TABLE record ADD COLUMN verification TEXT
    CHECK ((case_number IS NULL) = (item IS NULL) AND (item IS NULL) = (verification IS NULL));

CREATE TABLE print (
    seq   INTEGER PRIMARY KEY REFERENCES record (seq),
    state TEXT    NOT NULL CHECK (state IN ('not-printed', 'printing', 'confirmed', 'failed')),
    level INTEGER NOT NULL DEFAULT 0 CHECK (level BETWEEN 0 AND 255)
) STRICT;

-- The one time that a record's row is written again. Nothing that is sealed, signed or hashed changes.
DROP TRIGGER record_is_sealed_update;

UPDATE record SET (case_number, item, verification) =
    (SELECT stub.case_number, stub.item, stub.verification FROM stub WHERE stub.seq = record.seq)
WHERE seq IN (SELECT seq FROM stub);

INSERT INTO print (seq, state, level)
SELECT seq, print_state, print_level FROM stub WHERE print_state <> 'not-printed';

DROP TABLE stub;

CREATE TRIGGER record_is_sealed_update BEFORE UPDATE ON record
BEGIN SELECT RAISE(ABORT, 'a sealed record is never changed'); END;

CREATE TRIGGER print_keeps_its_case BEFORE UPDATE OF seq ON print
BEGIN SELECT RAISE(ABORT, 'only the print state changes'); END;

CREATE TRIGGER print_is_kept BEFORE DELETE ON print
BEGIN SELECT RAISE(ABORT, 'a print state is never removed'); END;
