-- What a quote across servers says beside the two posts: the name of what is quoted, which may not be here, and the stamp
-- by which its author allows it.
CREATE TABLE quotes (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    quoted_uri TEXT NOT NULL,
    stamp_uri TEXT
);
CREATE INDEX quotes_by_stamp ON quotes (stamp_uri) WHERE stamp_uri IS NOT NULL;

-- Emoji that people put on posts. Each goes with a favourite; favours: with one that it made.
CREATE TABLE reactions (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    status_id BIGINT NOT NULL REFERENCES statuses (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    picture TEXT,
    favours BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX reactions_by_status ON reactions (status_id, account_id, name);
CREATE INDEX reactions_by_account ON reactions (account_id);

-- How many favour and boost a post of another server, as that says; ours count only what came here.
ALTER TABLE statuses ADD COLUMN told_favourites BIGINT;
ALTER TABLE statuses ADD COLUMN told_reblogs BIGINT;
