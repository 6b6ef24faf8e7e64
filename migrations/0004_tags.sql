-- Who used the tag, of statuses that everybody may see: what is counted for profiles is then counted in one index.
ALTER TABLE status_tags ADD COLUMN account_id BIGINT;
UPDATE status_tags SET account_id =
    (SELECT s.account_id FROM statuses s WHERE s.id = status_tags.status_id AND s.visibility IN (0, 1));
CREATE INDEX status_tags_by_account ON status_tags (account_id, tag_id, status_id) WHERE account_id IS NOT NULL;

CREATE TABLE followed_tags (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX followed_tags_by_account ON followed_tags (account_id, tag_id);
CREATE INDEX followed_tags_in_order ON followed_tags (account_id, id);
CREATE INDEX followed_tags_by_tag ON followed_tags (tag_id, account_id);

CREATE TABLE featured_tags (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX featured_tags_by_account ON featured_tags (account_id, tag_id);
CREATE INDEX featured_tags_by_tag ON featured_tags (tag_id);

-- How often a tag was used on a day (days since the epoch, UTC), and by how many. Kept for a week.
CREATE TABLE tag_days (
    tag_id BIGINT NOT NULL REFERENCES tags (id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    accounts BIGINT NOT NULL,
    PRIMARY KEY (tag_id, day)
) /* clustered */;
