-- Whom somebody does not want to be shown among the suggestions of whom to follow.
CREATE TABLE dismissed_suggestions (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, target_id)
) /* clustered */;
CREATE INDEX dismissed_suggestions_by_target ON dismissed_suggestions (target_id);

-- The directory. Nothing that posting changes is in it.
CREATE INDEX accounts_discoverable ON accounts (id) WHERE discoverable;

-- What people reported to the moderators. The reporter may be gone; with the reported account the report goes.
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    account_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    target_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    category BIGINT NOT NULL,
    comment TEXT NOT NULL,
    statuses_json TEXT NOT NULL DEFAULT '[]',
    rules_json TEXT NOT NULL DEFAULT '[]',
    forward BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE INDEX reports_by_account ON reports (account_id, id);
CREATE INDEX reports_by_target ON reports (target_id);

-- The report that a moderator's notification is about.
ALTER TABLE notifications ADD COLUMN report_id BIGINT;
