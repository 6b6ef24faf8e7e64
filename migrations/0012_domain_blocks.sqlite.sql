-- Whom this site has nothing to do with, or little. The newest rule about an account is what silenced_at and
-- suspended_at of it say, when they hold the rule's created_at: taking the rule back takes them back.
CREATE TABLE domain_blocks (
    id BIGINT PRIMARY KEY,
    domain TEXT NOT NULL,
    severity BIGINT NOT NULL,
    reject_media BOOLEAN NOT NULL,
    reject_reports BOOLEAN NOT NULL,
    private_comment TEXT NOT NULL,
    public_comment TEXT NOT NULL,
    obfuscate BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX domain_blocks_by_domain ON domain_blocks (domain);

-- Whom it has to do with at all, where federation is limited to these.
CREATE TABLE domain_allows (
    id BIGINT PRIMARY KEY,
    domain TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX domain_allows_by_domain ON domain_allows (domain);

-- The server that an account is on, which need not be the one in its handle.
ALTER TABLE actors ADD COLUMN host TEXT NOT NULL DEFAULT '';
UPDATE actors SET host = (SELECT lower(substr(rest, 1, instr(rest || '/', '/') - 1)) FROM
    (SELECT substr(a.uri, instr(a.uri, '://') + 3) AS rest FROM accounts a WHERE a.id = actors.account_id));
CREATE INDEX actors_by_host ON actors (host);
