-- On how many days deliveries to a server failed since one succeeded: after seven, nothing is sent there any more but
-- one a week, to see.
ALTER TABLE hosts ADD COLUMN failed_days BIGINT NOT NULL DEFAULT 0;
CREATE INDEX hosts_given_up ON hosts (resting_until) WHERE failed_days >= 7;

-- What signed before the key of now: it signs the one activity that tells of the change, whose name ends in `rotation`.
ALTER TABLE own_keys ADD COLUMN retired_key TEXT;
ALTER TABLE own_keys ADD COLUMN rotation BIGINT;
ALTER TABLE own_keys ADD COLUMN rotated_at BIGINT;
