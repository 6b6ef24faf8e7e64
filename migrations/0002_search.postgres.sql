-- The words only, tokenised by us (bigrams for CJK), one row for each status.
CREATE TABLE status_search (
    id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
CREATE INDEX status_search_words ON status_search USING GIN (words);
CREATE TABLE account_search (
    id BIGINT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
CREATE INDEX account_search_words ON account_search USING GIN (words);
