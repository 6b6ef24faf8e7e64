-- Whoever goes takes with them what names them: without these each of those tables is read whole for it.
CREATE INDEX polls_by_account ON polls (account_id);
CREATE INDEX poll_votes_by_account ON poll_votes (account_id);
CREATE INDEX mutes_by_target ON mutes (target_id);
CREATE INDEX endorsements_by_target ON endorsements (target_id);
CREATE INDEX account_notes_by_target ON account_notes (target_id);
CREATE INDEX account_moves_by_target ON account_moves (target_id);
CREATE INDEX invites_by_user ON invites (user_id) WHERE user_id IS NOT NULL;

-- The emoji of this site, among those of thousands of others; those of one other server.
CREATE INDEX custom_emojis_here ON custom_emojis (shortcode) WHERE domain IS NULL;
CREATE INDEX custom_emojis_by_domain ON custom_emojis (domain) WHERE domain IS NOT NULL;
