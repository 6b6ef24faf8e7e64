//! The rules at hand: read anew when they were changed, by whichever process.

use super::{Rules, store};
use crate::{Db, Result, db::Conn};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what is at hand is believed. So soon a rule that somebody makes takes effect.
const FRESH: Duration = Duration::from_millis(900);

/// The rules of one database, for many who ask.
pub struct Known {
    db: Db,
    at_hand: Mutex<Option<AtHand>>,
}

#[derive(Clone)]
struct AtHand {
    looked: Instant,
    version: Option<String>,
    rules: Arc<Rules>,
}

impl Known {
    pub fn new(db: Db) -> Self {
        Self { db, at_hand: Mutex::default() }
    }

    /// The rules as they were at most a second ago.
    pub async fn rules(&self) -> Result<Arc<Rules>> {
        let kept = self.at_hand();
        if let Some(kept) = &kept
            && kept.looked.elapsed() < FRESH
        {
            return Ok(kept.rules.clone());
        }
        let conn = self.db.read().await?;
        self.look(&conn, kept).await
    }

    /// As [`Known::rules`], for who has a connection: nobody waits for a second one while they hold one.
    pub async fn rules_on(&self, conn: &Conn) -> Result<Arc<Rules>> {
        match self.at_hand() {
            Some(kept) if kept.looked.elapsed() < FRESH => Ok(kept.rules),
            kept => self.look(conn, kept).await,
        }
    }

    /// As they are now: whoever asks from here on is told the same.
    pub async fn renewed(&self, conn: &Conn) -> Result<Arc<Rules>> {
        let kept = self.at_hand();
        self.look(conn, kept).await
    }

    async fn look(&self, conn: &Conn, kept: Option<AtHand>) -> Result<Arc<Rules>> {
        let looked = Instant::now();
        let version = store::version(conn).await?;
        let rules = match kept {
            Some(kept) if kept.version == version => kept.rules,
            _ => Arc::new(super::rules(conn).await?),
        };
        *self.at_hand.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(AtHand { looked, version, rules: rules.clone() });
        Ok(rules)
    }

    fn at_hand(&self) -> Option<AtHand> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
