-- Which page the server of a post says is to be shown with it, as long as nobody here has looked at the post.
CREATE TABLE card_hints (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    url TEXT NOT NULL
);
