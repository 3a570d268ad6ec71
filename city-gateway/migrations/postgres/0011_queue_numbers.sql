-- Numbers for windows: one series for each queue and day, and which request was given which number. Whoever gives one
-- holds the lock on the row of `queue_day`.

CREATE TABLE queue_day (
    queue text NOT NULL,
    day text NOT NULL,
    given bigint NOT NULL,
    called bigint,
    PRIMARY KEY (queue, day),
    CHECK (called IS NULL OR called <= given)
);

CREATE TABLE queue_number (
    terminal text NOT NULL,
    request text NOT NULL,
    queue text NOT NULL,
    day text NOT NULL,
    number bigint NOT NULL CHECK (number > 0),
    given_at_ms bigint NOT NULL,
    PRIMARY KEY (terminal, request),
    UNIQUE (queue, day, number)
);

CREATE INDEX queue_number_day ON queue_number (day);
