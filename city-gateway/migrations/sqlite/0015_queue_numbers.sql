-- Numbers for windows: one series for each queue and day, and which request was given which number.

CREATE TABLE queue_day (
    queue TEXT NOT NULL,
    day TEXT NOT NULL,
    given INTEGER NOT NULL,
    called INTEGER,
    PRIMARY KEY (queue, day),
    CHECK (called IS NULL OR called <= given)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_number (
    terminal TEXT NOT NULL,
    request TEXT NOT NULL,
    queue TEXT NOT NULL,
    day TEXT NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    given_at_ms INTEGER NOT NULL,
    PRIMARY KEY (terminal, request),
    UNIQUE (queue, day, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_number_day ON queue_number (day);
