-- The names by which people of other servers take back what they did, where that is all they say.
ALTER TABLE favourites ADD COLUMN uri TEXT;
ALTER TABLE reactions ADD COLUMN uri TEXT;
ALTER TABLE blocks ADD COLUMN uri TEXT;
CREATE INDEX favourites_by_uri ON favourites (uri) WHERE uri IS NOT NULL;
CREATE INDEX reactions_by_uri ON reactions (uri) WHERE uri IS NOT NULL;
CREATE INDEX blocks_by_uri ON blocks (uri) WHERE uri IS NOT NULL;

-- What the author of a post of another server lets others do with it: JSON, where that is not everything.
CREATE TABLE interaction_policies (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    rules_json TEXT NOT NULL
);

-- Whether an answer or a boost of ours waits for the author of what it is about. 0 it need not, 1 it waits, 2 it may.
ALTER TABLE statuses ADD COLUMN consent BIGINT NOT NULL DEFAULT 0;
-- Who may quote when the author agrees, as quote_policy says who may without. 2 nobody.
ALTER TABLE statuses ADD COLUMN quote_manual BIGINT NOT NULL DEFAULT 2;

-- Where the consent to an answer or a boost of ours can be looked at.
CREATE TABLE approvals (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    uri TEXT NOT NULL
);
