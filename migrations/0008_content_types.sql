-- How a post was written, and how somebody writes when a client does not say: 0 text/plain, 1 text/markdown.
ALTER TABLE statuses ADD COLUMN content_type BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN default_content_type BIGINT NOT NULL DEFAULT 0;
