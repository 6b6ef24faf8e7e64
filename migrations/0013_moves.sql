-- Other names of people here: accounts that they say are theirs too.
CREATE TABLE account_aliases (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    uri TEXT NOT NULL,
    -- As it was when they said so, for people to read.
    acct TEXT NOT NULL
);
CREATE UNIQUE INDEX account_aliases_by_account ON account_aliases (account_id, uri);

-- Who moved where, and when: the last time.
CREATE TABLE account_moves (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    moved_at BIGINT NOT NULL
);

-- What accounts of other servers say of themselves: their other names, where they went, where their featured tags are.
ALTER TABLE actors ADD COLUMN also_known_as_json TEXT NOT NULL DEFAULT '[]';
ALTER TABLE actors ADD COLUMN moved_to TEXT;
ALTER TABLE actors ADD COLUMN featured_tags TEXT;
