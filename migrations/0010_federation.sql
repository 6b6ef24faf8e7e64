-- What other servers tell of their people, beside the account's own row: only deliveries and refreshes need it.
CREATE TABLE actors (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    inbox TEXT NOT NULL,
    shared_inbox TEXT,
    outbox TEXT,
    followers TEXT,
    following TEXT,
    featured TEXT,
    fetched_at BIGINT NOT NULL
);

-- Their public keys, by the address that signatures name.
CREATE TABLE actor_keys (
    id TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    pem TEXT NOT NULL
);
CREATE INDEX actor_keys_by_account ON actor_keys (account_id);

-- Our own keys; account 0 is the site itself. They outlive the account: that it is deleted is told with its signature.
CREATE TABLE own_keys (
    account_id BIGINT PRIMARY KEY,
    private_key TEXT NOT NULL,
    public_key TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Whether a post has to be told to other servers at all, without looking for followers there.
ALTER TABLE accounts ADD COLUMN has_remote_followers BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX accounts_by_domain ON accounts (domain) WHERE domain IS NOT NULL;

-- The name under which other servers know the follow: what answers it names it.
ALTER TABLE follows ADD COLUMN uri TEXT;
ALTER TABLE follow_requests ADD COLUMN uri TEXT;
CREATE INDEX follows_by_uri ON follows (uri) WHERE uri IS NOT NULL;
CREATE INDEX follow_requests_by_uri ON follow_requests (uri) WHERE uri IS NOT NULL;

-- What other servers said is gone, and what of ours is: a post that arrives after its deletion stays away.
CREATE TABLE tombstones (
    uri TEXT PRIMARY KEY,
    gone_at BIGINT NOT NULL
);
CREATE INDEX tombstones_by_age ON tombstones (gone_at);

-- What arrived, by its name: kept as long as it could be sent once more. The text goes when it has been applied.
CREATE TABLE arrivals (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    body TEXT,
    arrived_at BIGINT NOT NULL
);
-- For each signer: who passes on, or invents, what somebody else says must not keep the original out.
CREATE UNIQUE INDEX arrivals_by_uri ON arrivals (account_id, uri);
CREATE INDEX arrivals_by_age ON arrivals (arrived_at);

-- What is sent: the bytes are made once and signed anew at each attempt. account_id: who signs, 0 the site itself.
CREATE TABLE activities (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activities_by_uri ON activities (uri);
CREATE INDEX activities_by_age ON activities (created_at);

-- How deliveries to other servers go. A host that never failed has no row.
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    failing_since BIGINT,
    resting_until BIGINT,
    last_error TEXT,
    last_success_at BIGINT,
    last_failure_at BIGINT
);

CREATE INDEX conversations_by_uri ON conversations (uri) WHERE uri IS NOT NULL;
