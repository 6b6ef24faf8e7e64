-- Previews of pages that posts link to: one for each address, shared by all posts. state: 0 wanted, 1 there, 2 there is
-- nothing to show. asked_at: when fetching it was last begun.
CREATE TABLE preview_cards (
    id BIGINT PRIMARY KEY,
    url TEXT NOT NULL,
    state BIGINT NOT NULL,
    asked_at BIGINT NOT NULL,
    card_json TEXT NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX preview_cards_by_url ON preview_cards (url);
CREATE INDEX preview_cards_by_age ON preview_cards (asked_at);

-- Which post shows which.
CREATE TABLE status_cards (
    status_id BIGINT PRIMARY KEY REFERENCES statuses (id) ON DELETE CASCADE,
    card_id BIGINT NOT NULL REFERENCES preview_cards (id) ON DELETE CASCADE
);
CREATE INDEX status_cards_by_card ON status_cards (card_id);
