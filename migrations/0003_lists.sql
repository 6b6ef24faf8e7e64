CREATE TABLE lists (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    replies_policy BIGINT NOT NULL,
    exclusive BOOLEAN NOT NULL
);
CREATE INDEX lists_by_account ON lists (account_id, id);

-- owner_id is the list's account_id once more: whether an author is in an exclusive list is asked for each follower of
-- each new status, and is then one look into one index.
CREATE TABLE list_members (
    id BIGINT PRIMARY KEY,
    list_id BIGINT NOT NULL REFERENCES lists (id) ON DELETE CASCADE,
    owner_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX list_members_by_list ON list_members (list_id, account_id);
CREATE INDEX list_members_in_order ON list_members (list_id, id);
CREATE INDEX list_members_by_account ON list_members (account_id, owner_id, list_id);
