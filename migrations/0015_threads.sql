-- When the answers to a post of another server were last asked for there, and how many were new.
CREATE TABLE thread_fetches (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    found BIGINT NOT NULL DEFAULT 0
);

-- What everybody may see of a conversation is a list that other servers read.
CREATE INDEX statuses_by_conversation ON statuses (conversation_id, id) WHERE visibility <= 1 AND reblog_of_id IS NULL;
