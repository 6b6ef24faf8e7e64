-- That a follow has ended is said also to servers that are blocked, and is the only thing that is.
ALTER TABLE activities ADD COLUMN is_farewell BOOLEAN NOT NULL DEFAULT FALSE;

-- What is passed on was handed to everybody whom it is for: not once more after a crash.
ALTER TABLE activities ADD COLUMN is_brought BOOLEAN NOT NULL DEFAULT FALSE;
