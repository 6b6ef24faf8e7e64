-- One name, one conversation. Where two were made at once the older keeps the name: the other one's posts stay together.
UPDATE conversations SET uri = NULL
    WHERE uri IS NOT NULL AND id > (SELECT MIN(other.id) FROM conversations other WHERE other.uri = conversations.uri);
DROP INDEX conversations_by_uri;
CREATE UNIQUE INDEX conversations_by_uri ON conversations (uri) WHERE uri IS NOT NULL;
