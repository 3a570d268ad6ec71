-- A life without a record may take another name: the old one may have been spoken of, by a copy of this disk or before
-- this file was put back from an older image. Never changed after release; later changes are new files.

DROP TRIGGER incarnation_is_fixed_update;

CREATE TRIGGER incarnation_is_fixed_update BEFORE UPDATE ON incarnation
WHEN NEW.first_row <> OLD.first_row OR EXISTS (SELECT 1 FROM record WHERE seq >= OLD.first_row)
BEGIN SELECT RAISE(ABORT, 'a life of the queue keeps its name'); END;
