-- What followed a case: a supplement to it, or its withdrawal. One row for each such record that found its case,
-- written with its outcome. It is no case of its own and has no life at a department.

CREATE TABLE follow_up (
    id INTEGER PRIMARY KEY REFERENCES inbox (id),
    case_terminal TEXT NOT NULL,
    case_id TEXT NOT NULL,
    follows TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    -- Where the case stood then, and which of its steps this made; none when the case was over.
    state TEXT NOT NULL,
    step INTEGER,
    FOREIGN KEY (case_terminal, case_id) REFERENCES case_progress (terminal, case_id)
) STRICT;

CREATE INDEX follow_up_case ON follow_up (case_terminal, case_id, id);

DROP TRIGGER case_is_opened;

CREATE TRIGGER case_is_opened AFTER INSERT ON outcome
WHEN NEW.state = 'opened' AND NOT EXISTS (SELECT 1 FROM follow_up f WHERE f.id = NEW.id)
BEGIN
    INSERT INTO case_progress (id, terminal, case_id, item, received_at_ms, state, version, changed_at_ms)
    SELECT id, terminal, case_id, item, received_at_ms, 'pre_review', 0, NEW.decided_at_ms
    FROM inbox WHERE id = NEW.id AND kind = 'case'
    ON CONFLICT DO NOTHING;
END;
