-- People are named by the addresses of their pages, too.
CREATE INDEX accounts_by_url ON accounts (url);

-- Whether the same job waits already is asked for each post of an account that was not looked at lately. By the beginning:
-- whole texts can be longer than an index takes. Deliveries have lanes, and what arrives (queue 0) is never looked for.
CREATE INDEX jobs_by_payload ON jobs (substr(payload, 1, 100)) WHERE state IN (0, 1) AND lane IS NULL AND queue <> 0;
