//! Finding accounts by name: the start or any part of a user name or of a word of the display name, Japanese included.

use super::{Account, handle, store};
use crate::{
    Result,
    db::{Conn, Tx},
    ids::AccountId,
    relationships,
    site::Site,
    text::search::{Term, index_tokens, query},
};

/// Parts of words that one account is filed under besides the words themselves.
const PARTS: usize = 160;
/// Bytes of what is searched for; the rest of a longer text is ignored by the tokeniser.
const TYPED: usize = 1024;

/// What to look for among accounts.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    pub words: &'a str,
    pub viewer: Option<AccountId>,
    /// Only whom the viewer follows.
    pub following: bool,
    pub limit: i64,
    pub offset: i64,
}

impl Search<'_> {
    /// The query without what people type in front of names.
    pub(super) fn typed(&self) -> &str {
        let text = self.words.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '@' | '＠' | '-' | '+'));
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= TYPED).last().unwrap_or(0);
        if text.len() <= TYPED { text.trim_end() } else { &text[..end] }
    }
}

/// Accounts that match, the exact name first, then whom the viewer follows or is followed by, then by followers.
/// `user@domain`, also with our own domain, finds just that account.
/// <https://docs.joinmastodon.org/methods/accounts/#search>
pub async fn search(conn: &Conn, site: &Site, search: &Search<'_>) -> Result<Vec<Account>> {
    let typed = search.typed();
    if typed.is_empty() || search.limit < 1 {
        return Ok(Vec::new());
    }
    if typed.contains('@')
        && let Some(handle) = handle(site, typed)
        && let Some(found) = store::by_handle(conn, &handle.username, handle.domain.as_deref()).await?
    {
        return exact(conn, search, found).await;
    }
    store::search(conn, search, &terms(typed)).await
}

async fn exact(conn: &Conn, search: &Search<'_>, found: Account) -> Result<Vec<Account>> {
    let unwanted =
        search.following && !relationships::with_authors(conn, search.viewer, [found.id]).await?.following(found.id);
    if unwanted || search.offset > 0 || found.suspended_at.is_some() {
        return Ok(Vec::new());
    }
    store::visible(conn, &[found.id]).await
}

/// Every word may be the start of one.
fn terms(typed: &str) -> Vec<Term> {
    let mut terms = query(typed);
    for term in &mut terms {
        if let Term::Text { prefix, .. } = term {
            *prefix = true;
        }
    }
    terms
}

/// Makes an account findable by its names as they are now.
pub(super) async fn index(tx: &Tx, account: &Account) -> Result<()> {
    store::put_words(tx, account.id, &words(account)).await
}

/// The names, and behind them every end of each word: what starts like one of those is a part of the word.
/// Japanese needs none of that: the tokeniser cuts it into pairs.
fn words(account: &Account) -> String {
    let domain = account.domain.as_deref().unwrap_or_default();
    let mut words = format!("{} {domain} {}", account.username, account.display_name);
    let tokens = index_tokens(&words);
    let ends = tokens.split(' ').flat_map(|word| {
        let count = word.chars().count();
        word.char_indices().skip(1).take(count.saturating_sub(2)).map(move |(at, _)| &word[at..])
    });
    for part in ends.take(PARTS) {
        words.push(' ');
        words.push_str(part);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::terms;
    use crate::text::search::fts5;

    #[test]
    fn nothing_typed_is_an_operator() {
        assert_eq!(fts5(&terms("ali")).as_deref(), Some("(\"ali\" *)"));
        assert_eq!(fts5(&terms("mark_tw")).as_deref(), Some("(\"mark tw\" *)"));
        assert_eq!(fts5(&terms("\" OR x*")).as_deref(), Some("(\"or x\" *)"));
        assert_eq!(fts5(&terms("***")), None);
    }
}
