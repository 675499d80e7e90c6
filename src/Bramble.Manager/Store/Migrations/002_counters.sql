-- Numbers that only ever rise, whatever is deleted: credentials are derived from node ids, so no id may come again.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
