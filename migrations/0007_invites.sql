-- user_id: who made it; nobody when it was made on the command line. max_uses, expires_at: without is without end.
CREATE TABLE invites (
    id BIGINT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    user_id BIGINT REFERENCES users (id) ON DELETE CASCADE,
    uses BIGINT NOT NULL DEFAULT 0,
    max_uses BIGINT,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);

CREATE INDEX users_waiting ON users (id) WHERE NOT approved;
