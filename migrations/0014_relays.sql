-- Servers that pass public posts on between those who subscribe to them.
CREATE TABLE relays (
    id BIGINT PRIMARY KEY,
    style BIGINT NOT NULL,
    -- As it was given: an inbox or an actor, by the style.
    url TEXT NOT NULL,
    inbox TEXT NOT NULL,
    -- Who speaks for it, once that is known.
    account_id BIGINT REFERENCES accounts (id) ON DELETE SET NULL,
    state BIGINT NOT NULL,
    follow_uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    answered_at BIGINT,
    received BIGINT NOT NULL DEFAULT 0,
    received_at BIGINT,
    -- What it brought since this moment, for its budget.
    counted_since BIGINT NOT NULL DEFAULT 0,
    counted BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX relays_by_url ON relays (url);
CREATE UNIQUE INDEX relays_by_follow ON relays (follow_uri);
CREATE INDEX relays_by_account ON relays (account_id) WHERE account_id IS NOT NULL;
