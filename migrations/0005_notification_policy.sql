-- Notifications in groups, and what becomes of those from people one does not know.

-- Kept, but held back: shown after its sender was accepted, or to who asks for it.
ALTER TABLE notifications ADD COLUMN filtered BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX notifications_by_group ON notifications (account_id, group_key, id);
CREATE INDEX notifications_by_sender ON notifications (from_account_id, account_id, id);
CREATE INDEX notifications_held ON notifications (account_id, from_account_id, id) WHERE filtered;

-- What somebody decided; without a row the defaults of the program.
CREATE TABLE notification_policies (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    for_not_following BIGINT NOT NULL,
    for_not_followers BIGINT NOT NULL,
    for_new_accounts BIGINT NOT NULL,
    for_private_mentions BIGINT NOT NULL,
    for_limited_accounts BIGINT NOT NULL
);

-- Senders whom the policy of account_id does not concern any more.
CREATE TABLE notification_permissions (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    from_account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, from_account_id)
) /* clustered */;
CREATE INDEX notification_permissions_by_sender ON notification_permissions (from_account_id);

-- A sender with mentions that are held back. What they are is read from the notifications.
CREATE TABLE notification_requests (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    from_account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notification_requests_by_sender ON notification_requests (account_id, from_account_id);
CREATE INDEX notification_requests_in_order ON notification_requests (account_id, id);
CREATE INDEX notification_requests_of_sender ON notification_requests (from_account_id);
