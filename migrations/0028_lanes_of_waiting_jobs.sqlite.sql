-- Deliveries that waited before there were lanes belong to one, too: the server of their inbox.
UPDATE jobs SET lane = (SELECT lower(substr(rest, 1, min(instr(rest || '/', '/'), instr(rest || '"', '"')) - 1)) FROM
    (SELECT substr(j.payload, instr(j.payload, '"inbox":"https://') + 17) AS rest FROM jobs j WHERE j.id = jobs.id))
    WHERE lane IS NULL AND state IN (0, 1) AND payload LIKE '{"job":"deliver",%"inbox":"https://_%';
