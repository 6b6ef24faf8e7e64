-- Contentless: the words only, tokenised by us (bigrams for CJK), one row for each status.
CREATE VIRTUAL TABLE status_search USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0');
CREATE VIRTUAL TABLE account_search USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0', prefix='1 2 3');
