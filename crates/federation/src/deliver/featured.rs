//! What somebody shows on their profile: pinned posts and hashtags. Mastodon looks for both in one list.

use super::compose::{local, to_everybody};
use crate::Federation;
use crate::documents::{Activity, Object, Verb};
use domain::db::Conn;
use domain::deliveries::News;
use domain::ids::{AccountId, StatusId};
use domain::{Error, Result, statuses};

pub(super) async fn made(federation: &Federation, conn: &Conn, news: &News) -> Result<(AccountId, Activity)> {
    let (account, name, verb, object) = match news {
        News::Pinned { account, status, telling } => {
            (*account, format!("pins/{telling}"), Verb::Add, post(conn, *status).await?)
        }
        News::Unpinned { account, status, telling } => {
            (*account, format!("pins/{telling}"), Verb::Remove, post(conn, *status).await?)
        }
        News::TagFeatured { account, name, telling } => {
            (*account, format!("tags/{telling}"), Verb::Add, federation.hashtag_object(name))
        }
        News::TagUnfeatured { account, name, telling } => {
            (*account, format!("tags/{telling}"), Verb::Remove, federation.hashtag_object(name))
        }
        _ => return Err(Error::NotFound),
    };
    let actor = local(conn, account).await?;
    let activity = to_everybody(&actor.uri, &name, (verb, object));
    let target = Some(Object::Id(format!("{}/collections/featured", actor.uri)));
    Ok((account, Activity { target, ..activity }))
}

async fn post(conn: &Conn, id: StatusId) -> Result<Object> {
    Ok(Object::Id(statuses::store::by_id(conn, id).await?.ok_or(Error::NotFound)?.uri))
}
