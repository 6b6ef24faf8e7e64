//! Live events: what just became true, told to whoever listens, after the commit. They carry ids; listeners look again,
//! through the one visibility function, before they show anything.

use crate::ids::{AccountId, ConversationId, NotificationId, StatusId, TokenId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokio::sync::broadcast;

/// Events that wait for a listener; one that falls further behind loses the oldest and is told so.
const BACKLOG: usize = 4096;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    StatusCreated {
        status: StatusId,
    },
    StatusEdited {
        status: StatusId,
    },
    /// The rows are gone: everything a listener needs to know who may have seen it is here.
    StatusDeleted {
        status: StatusId,
        author: AccountId,
        local: bool,
        public: bool,
        tags: Vec<String>,
        audience: Vec<AccountId>,
    },
    Notified {
        notification: NotificationId,
        account: AccountId,
    },
    /// Notifications that were held back are in the list now.
    NotificationsMerged {
        account: AccountId,
    },
    Conversation {
        account: AccountId,
        conversation: ConversationId,
    },
    FiltersChanged {
        account: AccountId,
    },
    /// The token is revoked: streams opened with it close.
    TokenRevoked {
        token: TokenId,
    },
}

/// Where events leave and arrive. Cheap to clone.
#[derive(Clone)]
pub struct Hub(broadcast::Sender<Arc<Event>>);

impl Default for Hub {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Hub {
    /// Tells everybody who listens now; nobody is fine.
    pub fn send(&self, event: Event) {
        let _ = self.0.send(Arc::new(event));
    }
    pub fn listen(&self) -> broadcast::Receiver<Arc<Event>> {
        self.0.subscribe()
    }
}
