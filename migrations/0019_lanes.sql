-- Deliveries to one server are a lane of the queue: a server that does not answer holds up its own lane alone.
ALTER TABLE jobs ADD COLUMN lane TEXT;
CREATE INDEX jobs_of_lane ON jobs (lane, run_at) WHERE state = 0 AND lane IS NOT NULL;
