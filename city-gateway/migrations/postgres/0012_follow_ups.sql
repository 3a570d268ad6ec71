-- What followed a case: a supplement to it, or its withdrawal. One row for each such record that found its case,
-- written in the transaction that notes it as opened. Its row in `handling` has no `case_state`: it is no case of its own.

CREATE TABLE follow_up (
    terminal text NOT NULL,
    incarnation text NOT NULL,
    seq bigint NOT NULL,
    case_terminal text NOT NULL,
    case_id text NOT NULL,
    follows text NOT NULL,
    at_ms bigint NOT NULL,
    -- Where the case stood then, and which of its steps this made; none when the case was over.
    state text NOT NULL,
    step bigint,
    PRIMARY KEY (terminal, incarnation, seq)
);

CREATE INDEX follow_up_case ON follow_up (case_terminal, case_id, at_ms);
