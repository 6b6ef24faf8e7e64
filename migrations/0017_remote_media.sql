-- Custom emoji of other servers: their name there, when their server says that they last changed, and when they were
-- last written down.
ALTER TABLE custom_emojis ADD COLUMN uri TEXT;
ALTER TABLE custom_emojis ADD COLUMN changed_at BIGINT;
ALTER TABLE custom_emojis ADD COLUMN seen_at BIGINT;
