-- Names of people who were deleted here: nobody else gets them, or would be taken for them by other servers.
-- In lower case; unlike other tombstones they stay for ever.
CREATE TABLE former_names (
    name TEXT PRIMARY KEY,
    gone_at BIGINT NOT NULL
);

-- Those of whom a tombstone still tells.
INSERT INTO former_names (name, gone_at)
    SELECT LOWER(SUBSTR(t.uri, LENGTH(p.prefix) + 1)), MAX(t.gone_at) FROM tombstones t
    JOIN (SELECT DISTINCT SUBSTR(uri, 1, LENGTH(uri) - LENGTH(username)) AS prefix FROM accounts WHERE domain IS NULL) p
    ON SUBSTR(t.uri, 1, LENGTH(p.prefix)) = p.prefix
    WHERE LENGTH(t.uri) > LENGTH(p.prefix) AND SUBSTR(t.uri, LENGTH(p.prefix) + 1) NOT LIKE '%/%'
    GROUP BY LOWER(SUBSTR(t.uri, LENGTH(p.prefix) + 1));

-- Whether the posts of somebody elsewhere are for nobody who is not signed in: those for everybody, those not in lists.
ALTER TABLE actors ADD COLUMN hides_public BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE actors ADD COLUMN hides_unlisted BOOLEAN NOT NULL DEFAULT FALSE;

-- Answers are counted for NodeInfo; those of this site are few among all.
CREATE INDEX statuses_answers_here ON statuses (id) WHERE local AND in_reply_to_id IS NOT NULL;
