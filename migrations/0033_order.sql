-- What is about one thing comes to an inbox in the order in which it was said. `about` of a delivery stands for the thing
-- and the inbox together; the first that is said of a thing need not look for what goes before it.
ALTER TABLE jobs ADD COLUMN about BIGINT;
CREATE INDEX jobs_by_about ON jobs (about, id) WHERE about IS NOT NULL;
ALTER TABLE activities ADD COLUMN is_first BOOLEAN NOT NULL DEFAULT FALSE;

-- That something has ended is told for longer than what it was: three days were the rule for everything.
ALTER TABLE activities ADD COLUMN kept_until BIGINT NOT NULL DEFAULT 0;
UPDATE activities SET kept_until = created_at + 259200000;
DROP INDEX activities_by_age;
CREATE INDEX activities_by_end ON activities (kept_until);
