-- Since when its own server says that an account is suspended. Where accounts.suspended_at says the same, that is why it
-- is hidden here; another time there is of this site, and stays when the other server takes its own back.
ALTER TABLE actors ADD COLUMN suspended_at BIGINT;

-- When the stamp of a quote was last seen where it is. NULL: never, or before this was written down.
ALTER TABLE quotes ADD COLUMN checked_at BIGINT;
