-- What answers copy from what they answer: `context` beside `conversation`, which is called `uri` here.
ALTER TABLE conversations ADD COLUMN context TEXT;
