-- What a quote across servers says beside the two posts: the name of what is quoted, which may not be here, and the stamp
-- by which its author allows it.
CREATE TABLE quotes (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    quoted_uri TEXT NOT NULL,
    stamp_uri TEXT
);
CREATE INDEX quotes_by_stamp ON quotes (stamp_uri) WHERE stamp_uri IS NOT NULL;
