-- Deliveries that waited before there were lanes belong to one, too: the server of their inbox.
UPDATE jobs SET lane = lower(substring(payload FROM '"inbox":"https://([^/"]+)'))
    WHERE lane IS NULL AND state IN (0, 1) AND payload LIKE '{"job":"deliver",%"inbox":"https://_%';
