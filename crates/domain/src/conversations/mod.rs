//! Conversations: what belongs to one thread, and the direct ones that somebody has in their list.

pub mod store;

use crate::{
    Error, Result,
    db::{Conn, Tx},
    events::Event,
    ids::{self, AccountId, ConversationId, StatusId},
    page::Page,
    row,
    statuses::Status,
};
use std::time::Duration;

/// Bytes of the name of a conversation elsewhere: no more fit into an index.
const NAME: usize = 2_000;

row! {
    /// A direct conversation in the list of one of its people.
    pub struct Conversation {
        pub id: ConversationId,
        pub account_id: AccountId,
        pub conversation_id: ConversationId,
        /// JSON of the ids of the others
        pub participants_json: String,
        pub last_status_id: StatusId,
        pub unread: bool,
    }
}

row! {
    /// What the server where it began calls it; nothing of one that began here, or whose server does not say.
    #[derive(Default)]
    pub struct Names {
        /// The older property, `conversation`: any URI. Where it is not said, the same as `context`.
        pub uri: Option<String>,
        /// The newer one, `context`: where the conversation can be read.
        pub context: Option<String>,
    }
}

impl Conversation {
    pub fn participants(&self) -> Vec<AccountId> {
        serde_json::from_str(&self.participants_json).unwrap_or_default()
    }
}

/// A new conversation, for a status that answers none.
pub(crate) async fn open(tx: &Tx) -> Result<ConversationId> {
    let id = ids::next();
    store::insert(tx, id).await?;
    Ok(id)
}

/// The conversation that another server calls by these names, new if need be.
pub(crate) async fn open_named(tx: &Tx, names: &Names) -> Result<ConversationId> {
    let cut = |name: &String| name.get(..name.floor_char_boundary(NAME)).unwrap_or_default().to_owned();
    let context = names.context.as_ref().map(cut);
    let Some(uri) = names.uri.as_ref().map(cut).or_else(|| context.clone()) else { return open(tx).await };
    let names = Names { uri: Some(uri.clone()), context };
    let id = ids::next();
    let known = match store::by_uri(tx, &uri).await? {
        Some(known) => known,
        None if store::insert_named(tx, id, &names).await? => return Ok(id),
        // Two posts of one conversation come at once: this one waited until the other was written.
        None => store::by_uri(tx, &uri).await?.ok_or(Error::Busy(Duration::from_secs(1)))?,
    };
    if let Some(context) = &names.context {
        store::update_context(tx, known, context).await?;
    }
    Ok(known)
}

/// What it is called where it began.
pub async fn names(conn: &Conn, id: ConversationId) -> Result<Names> {
    Ok(store::names(conn, id).await?.unwrap_or_default())
}

/// Puts a direct status on top of the lists of its local people.
pub(crate) async fn gather(tx: &mut Tx, status: &Status) -> Result<()> {
    let mut people: Vec<AccountId> = status.mentions().iter().filter(|m| !m.silent).map(|m| m.id).collect();
    people.push(status.account_id);
    people.sort_unstable();
    people.dedup();
    for owner in store::local_of(tx, &people).await? {
        let others: Vec<AccountId> = people.iter().copied().filter(|p| *p != owner).collect();
        let id = store::upsert(
            tx,
            &Conversation {
                id: ids::next(),
                account_id: owner,
                conversation_id: status.conversation_id,
                participants_json: serde_json::to_string(&others)?,
                last_status_id: status.id,
                unread: owner != status.account_id,
            },
        )
        .await?;
        tx.publish(Event::Conversation { account: owner, conversation: id });
    }
    Ok(())
}

/// Direct conversations, the one with the latest status first; pages go by that status.
pub async fn list(conn: &Conn, owner: AccountId, page: Page) -> Result<Vec<Conversation>> {
    Ok(page.newest_first(store::list(conn, owner, page).await?))
}
