-- Nodes, their leases, what happened to them, and who may ask.
CREATE TABLE nodes (
    id BIGINT NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    mac TEXT NOT NULL UNIQUE,
    spec TEXT NOT NULL,
    status TEXT NOT NULL
);

CREATE TABLE leases (
    network TEXT NOT NULL,
    address TEXT NOT NULL,
    mac TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (network, address)
);

CREATE TABLE events (
    id BIGINT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    node_id BIGINT,
    node_name TEXT,
    actor TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX events_by_node ON events (node_id, id);

CREATE TABLE boots (
    id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    verdict TEXT NOT NULL,
    steps TEXT NOT NULL,
    PRIMARY KEY (node_id, id)
);

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT
);

CREATE TABLE image_jobs (
    id BIGINT NOT NULL PRIMARY KEY,
    request TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
